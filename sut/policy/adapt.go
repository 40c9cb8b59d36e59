package policy

import (
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
)

// Adapt follows a limit that nobody tells: the pace is cut when the API throttles, and grows back little by little. The
// zero Adapt is off.
type Adapt struct {
	Cut  quantity.Share `yaml:"cut"`  // of the pace, taken away by a refusal
	Grow quantity.Share `yaml:"grow"` // of the pace, given back every second
}

// AdaptState is the share of the full pace that is in force.
type AdaptState struct {
	share float64 // 0 stands for all of it
	at    time.Time
	cutAt time.Time
}

// least is the smallest share that is left.
const least = 0.002

// Off reports whether the pace stays as it is set.
func (a Adapt) Off() bool { return a.Cut <= 0 }

// Share is the share in force at now.
func (a Adapt) Share(s *AdaptState, now time.Time) float64 {
	if a.Off() || s.share == 0 {
		return 1
	}
	if d := now.Sub(s.at); d > 0 {
		s.share, s.at = s.share*math.Pow(1+float64(a.Grow), d.Seconds()), now
	}
	if s.share >= 1 {
		s.share = 0
		return 1
	}
	return s.share
}

// Refused learns that the API throttled a call that began at some instant. rate is how many calls it took lately, as a
// share of the full pace: a limit far below the pace is found from there at once, and the pace is never cut far below it.
// Refusals of calls that began before the last cut tell nothing new.
func (a Adapt) Refused(s *AdaptState, now, began time.Time, rate float64) {
	if a.Off() || !began.After(s.cutAt) {
		return
	}
	keep := 1 - float64(a.Cut)
	share := a.Share(s, now) * keep
	if share > 2*rate {
		share = rate
	}
	s.share, s.at, s.cutAt = max(share, rate*keep, least), now, now
}

// Rate is a rate at a share.
func Rate(r quantity.Rate, share float64) quantity.Rate {
	r.Count *= share
	return r
}

// Meter counts events a second, averaged over the last seconds.
type Meter struct {
	perSecond float64
	at        time.Time
}

// meterSpan is how far back a Meter looks.
const meterSpan = 5 * time.Second

// Add counts one event.
func (m *Meter) Add(now time.Time) {
	m.fade(now)
	m.perSecond += 1 / meterSpan.Seconds()
}

// PerSecond is the average at now.
func (m *Meter) PerSecond(now time.Time) float64 {
	m.fade(now)
	return m.perSecond
}

func (m *Meter) fade(now time.Time) {
	if d := now.Sub(m.at); d > 0 {
		m.perSecond *= math.Exp(-d.Seconds() / meterSpan.Seconds())
		m.at = now
	}
}

package policy

import (
	"math"
	"time"
)

// Limit bounds how many calls are under way at a time. Kind fixed keeps Max; aimd adds one a round trip and takes a
// tenth away at each sign of overload; gradient compares short and long averages of the round trip and keeps a small
// queue.
type Limit struct {
	Kind      string        `yaml:"kind"` // fixed | aimd | gradient
	Min       int           `yaml:"min"`
	Max       int           `yaml:"-"` // set by whoever uses the limit
	Initial   int           `yaml:"initial"`
	Slow      time.Duration `yaml:"slow"`      // aimd: an answer that took longer counts as overload; 0 is never
	Tolerance float64       `yaml:"tolerance"` // gradient: how much longer than the long average is still fine, 1.5
	Queue     float64       `yaml:"queue"`     // gradient: calls that may queue at the callee, 4
	Smoothing float64       `yaml:"smoothing"` // gradient: weight of one new limit, 0.2
}

// LimitState is the limit in force and what it was learnt from.
type LimitState struct {
	limit    float64
	long     float64 // slow average of the round trip, ns
	short    float64
	samples  int       // since the limit was last moved
	cutUntil time.Time // a limit that was cut is not cut again for one round trip
}

// Value is the limit in force.
func (l Limit) Value(s *LimitState) int {
	if l.Kind == "fixed" {
		return l.Max
	}
	if s.limit == 0 {
		s.limit = float64(l.Initial)
	}
	return int(min(max(math.Floor(s.limit), float64(l.Min)), float64(l.Max)))
}

// Seen learns from one call that has ended: how long it took, whether it met overload, and how many were under way
// when it began.
func (l Limit) Seen(s *LimitState, now time.Time, took time.Duration, overload bool, underWay int) {
	if l.Kind == "fixed" {
		return
	}
	l.Value(s)
	overload = overload || l.Kind == "aimd" && l.Slow > 0 && took > l.Slow
	if overload {
		if now.After(s.cutUntil) {
			s.limit = max(s.limit*0.9, float64(l.Min))
			s.cutUntil = now.Add(max(took, time.Duration(s.long)))
		}
		return
	}
	rtt := float64(took)
	if s.long == 0 {
		s.long, s.short = rtt, rtt
	}
	s.long += (rtt - s.long) / 600
	s.short += (rtt - s.short) / 10
	if s.long > 2*s.short { // the long average is from worse days
		s.long *= 0.95
	}
	if float64(underWay) < s.limit/2 { // the limit is not what holds calls back
		return
	}
	if l.Kind == "aimd" {
		s.limit = min(s.limit+1/s.limit, float64(l.Max))
		return
	}
	if s.samples++; float64(s.samples) < s.limit { // about once a round trip
		return
	}
	s.samples = 0
	gradient := max(0.5, min(1, l.Tolerance*s.long/s.short))
	next := s.limit*gradient + l.Queue
	s.limit = s.limit*(1-l.Smoothing) + next*l.Smoothing
	s.limit = min(max(s.limit, float64(l.Min)), float64(l.Max))
}

package harness

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// ErrNoMessages is a load of which nothing comes: its rates are 0, or so small that by chance no message was drawn.
var ErrNoMessages = errors.New("the load has no messages: every phase's rate is 0, or so small that none was drawn")

// arrivals is a scenario's schedule, from phases or from a trace; of a trace, also what its rows say of each message.
func arrivals(sc *scenarios.Scenario) ([]time.Duration, []scenarios.Arrival, error) {
	if sc.Load.Arrivals != "trace" && sc.Load.Trace == "" {
		at, err := schedule(sc.Load, sc.Seed)
		if err == nil && len(at) == 0 {
			err = ErrNoMessages
		}
		return at, nil, err
	}
	var at []time.Duration
	var rows []scenarios.Arrival
	for row, err := range sc.Trace() {
		if err != nil {
			return nil, nil, err
		}
		if len(rows) == scenarios.MaxMessages {
			return nil, nil, fmt.Errorf("the trace has more than %d messages", scenarios.MaxMessages)
		}
		at, rows = append(at, row.At), append(rows, row)
	}
	if len(at) == 0 {
		return nil, nil, errors.New("the trace has no messages")
	}
	return at, rows, nil
}

// sum tells two schedules apart.
func sum(at []time.Duration, rows []scenarios.Arrival) uint64 {
	h := fnv.New64a()
	var b [8]byte
	for i, d := range at {
		binary.LittleEndian.PutUint64(b[:], uint64(d))
		h.Write(b[:])
		if rows != nil {
			fmt.Fprintf(h, "%q %q %d", rows[i].To, rows[i].Type, rows[i].Size)
		}
	}
	return h.Sum64()
}

// schedule turns phases into the instants of all hits, as offsets from the start, in order. Even arrivals come at
// equal steps of the cumulative rate; Poisson arrivals at exponential steps of it, so the count varies with the seed
// while the rate is followed exactly.
func schedule(load scenarios.Load, seed int64) ([]time.Duration, error) {
	draw := chance.New(seed).For("arrivals")
	step := func(n uint64) float64 { return 1 }
	switch load.Arrivals {
	case "", "even":
	case "poisson":
		step = func(n uint64) float64 { return -math.Log(1 - draw.Float(n)) }
	default:
		return nil, fmt.Errorf("arrivals %q cannot be scheduled from phases", load.Arrivals)
	}
	var (
		at    []time.Duration
		begin time.Duration
		n     uint64
		due   = step(0)
		sum   float64 // arrivals expected before this phase
	)
	for _, p := range load.Phases {
		from, to := ends(p)
		length := p.For.Seconds()
		total := (from + to) / 2 * length
		for ; due < sum+total; due += step(n) {
			if n++; n > scenarios.MaxMessages {
				return nil, fmt.Errorf("the load asks for more than %d messages", scenarios.MaxMessages)
			}
			at = append(at, begin+time.Duration(when(due-sum, from, to, length)*float64(time.Second)))
		}
		sum += total
		begin += p.For
	}
	return at, nil
}

// ends returns a phase's rate at its start and at its end, per second.
func ends(p scenarios.Phase) (from, to float64) {
	if !p.Rate.IsZero() {
		return p.Rate.PerSecond(), p.Rate.PerSecond()
	}
	return p.From.PerSecond(), p.To.PerSecond()
}

// when inverts the cumulative rate of one phase: the second at which k arrivals have come when the rate goes from a to
// b over length seconds. It solves a·t + (b−a)·t²/(2·length) = k in the form that does not cancel.
func when(k, a, b, length float64) float64 {
	slope := (b - a) / length
	root := math.Sqrt(max(0, a*a+2*slope*k))
	if a+root == 0 {
		return 0
	}
	return min(length, 2*k/(a+root))
}

// offeredRate is the rate that the phases ask for at an instant, in hits a second.
func offeredRate(phases []scenarios.Phase, at time.Duration) float64 {
	for _, p := range phases {
		if at < p.For {
			from, to := ends(p)
			return from + (to-from)*float64(at)/float64(p.For)
		}
		at -= p.For
	}
	return 0
}

// onLanes moves every hit to an instant of its own, at most one grid later.
func onLanes(at []time.Duration, start time.Time, lanes instant.Lanes) {
	if !lanes.On {
		return
	}
	for i, d := range at {
		t := start.Add(d)
		at[i] = d + lanes.Of(instant.Arrival, uint64(i)).After(t, 0)
	}
	slices.Sort(at)
}

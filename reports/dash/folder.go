package dash

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Folder is the record of a run in a folder, finished or still being written.
type Folder string

// Items reads the folder and follows it until the run has ended.
func (d Folder) Items(ctx context.Context, after string) iter.Seq2[Item, error] {
	return follow(ctx, string(d), after, nil)
}

// follow yields the run's info, then its events and gauges, then the info as it is at the end. A run that has not begun
// yet has no plan: its info comes again before the first event.
func follow(ctx context.Context, dir, after string, changed <-chan struct{}) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		from, err := record.ParseCursor(after)
		if err != nil {
			yield(Item{}, fmt.Errorf("follow %s: %w", dir, err))
			return
		}
		info, err := record.LoadInfo(dir)
		if err != nil {
			yield(Item{}, err)
			return
		}
		if !yield(Item{Info: &info, Next: after}, nil) {
			return
		}
		var judged []record.Event
		if info.State != record.Running {
			judged = summed(dir, info.Virtual)
		}
		for it, err := range record.Follow(ctx, dir, from, changed) {
			if err != nil {
				yield(Item{}, fmt.Errorf("follow %s: %w", dir, err))
				return
			}
			if len(info.Phases) == 0 && info.State == record.Running {
				if info, err = record.LoadInfo(dir); err != nil {
					yield(Item{}, err)
					return
				}
				info.State = record.Running // what it came to is said at the end
				if begun := info; len(info.Phases) > 0 && !yield(Item{Info: &begun, Next: after}, nil) {
					return
				}
			}
			if it.Event != nil && it.Event.Kind == "threshold" {
				judged = nil
			}
			for len(judged) > 0 && judged[0].At <= it.At() {
				if !yield(Item{Event: &judged[0], Next: after}, nil) {
					return
				}
				judged = judged[1:]
			}
			after = it.Next.String()
			if !yield(Item{Event: it.Event, Gauge: it.Gauge, Next: after}, nil) {
				return
			}
		}
		for i := range judged {
			if ctx.Err() != nil || !yield(Item{Event: &judged[i], Next: after}, nil) {
				return
			}
		}
		if ctx.Err() != nil || info.State != record.Running {
			return
		}
		if info, err = record.LoadInfo(dir); err != nil {
			yield(Item{}, err)
			return
		}
		yield(Item{Info: &info, Next: after}, nil)
	}
}

// Paced is a source that lets the scenario's time pass no faster than speed seconds a second: a finished run is then
// told as if it were happening. A speed of 0 leaves the source as it is.
func Paced(s Source, speed float64) Source {
	if !(speed > 0) {
		return s
	}
	return paced{s, speed}
}

type paced struct {
	Source
	speed float64
}

// Items yields the items of the source, each not before its time.
func (p paced) Items(ctx context.Context, after string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var began time.Time
		var first time.Duration
		for it, err := range p.Source.Items(ctx, after) {
			if at, ok := it.At(); ok {
				if began.IsZero() {
					began, first = time.Now(), at
				}
				due := began.Add(time.Duration(float64(at-first) / p.speed))
				if !sleepUntil(ctx, due) {
					return
				}
			}
			if !yield(it, err) {
				return
			}
		}
	}
}

// sleepUntil waits for an instant and reports whether it came before ctx was done.
func sleepUntil(ctx context.Context, due time.Time) bool {
	d := time.Until(due)
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

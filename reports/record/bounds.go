package record

import (
	"fmt"
	"math"
	"time"
)

// What a record from elsewhere may hold: reports walk over its time in steps, and would never come to the end of more.
const (
	farthest     = 2 * 366 * 24 * time.Hour // of any instant, on either side of the start
	mostCompress = 1e6                      // factor of compression
)

// bounded refuses instants that no run comes to.
func bounded(where string, instants ...time.Duration) error {
	for _, t := range instants {
		if t > farthest || t < -farthest {
			return fmt.Errorf("%s: an instant %v from the start is further than any run goes", where, t)
		}
	}
	return nil
}

func (i *Info) bounded() error {
	if err := bounded("the run", i.Duration, i.Virtual, i.Wall); err != nil {
		return err
	}
	if math.IsNaN(i.Compress) || i.Compress < 0 || i.Compress > mostCompress {
		return fmt.Errorf("the run: time compressed by %g", i.Compress)
	}
	for _, p := range i.Phases {
		if err := bounded("phase "+p.Name, p.From, p.To); err != nil {
			return err
		}
	}
	for _, e := range i.Plan {
		if err := e.bounded(); err != nil {
			return err
		}
	}
	return nil
}

func (e Event) bounded() error { return bounded("event "+e.Kind, e.At, e.Until) }

func (g Gauge) bounded() error { return bounded("reading", g.At) }

func (m *Message) bounded() error {
	return bounded("message "+m.ID, m.Scheduled, m.Sent, m.Answered, m.Accepted, m.Delivered)
}

func (a *Attempt) bounded() error { return bounded("attempt of "+a.Message, a.At, a.Done) }

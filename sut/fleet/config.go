package fleet

import (
	"errors"
	"fmt"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/sut/policy"
)

// Replicas is what the copies of a service are like.
type Replicas struct {
	Min     int           `yaml:"min"`     // copies at the start, and the floor of scaling
	Max     int           `yaml:"max"`     // ceiling of scaling
	Cores   int           `yaml:"cores"`   // pieces of work that one copy does at a time
	Queue   int           `yaml:"queue"`   // requests that may wait in one copy; 503 at once beyond; 0 is unbounded
	Balance string        `yaml:"balance"` // rotate: in turn; least: where the fewest wait
	Start   quantity.Dist `yaml:"start"`   // from the decision to start a copy until it takes requests
	Probe   time.Duration `yaml:"probe"`   // how long a copy that does not answer stays in rotation
	Memory  Memory        `yaml:"memory"`  // the model of memory, in bytes
}

// Memory is the model of a service's memory: copies × base + requests held × request.
type Memory struct {
	Base    int64 `yaml:"base"`    // bytes of an idle copy
	Request int64 `yaml:"request"` // bytes of one request that is waiting or being worked on
	Media   int64 `yaml:"media"`   // bytes more for a request that carries media
}

// Scaling is the rule by which copies are added and taken away, and what makes scaling fail in practice.
type Scaling struct {
	Signal      string         `yaml:"signal"`       // cpu, backlog, age, all (the highest), none
	Interval    time.Duration  `yaml:"interval"`     // time between decisions
	Target      quantity.Share `yaml:"target"`       // utilisation that cpu scaling aims at
	Backlog     float64        `yaml:"backlog"`      // backlog per copy that backlog scaling aims at
	Age         time.Duration  `yaml:"age"`          // oldest age that age scaling aims at
	Tolerance   float64        `yaml:"tolerance"`    // no change while metric/target is this close to 1
	Damping     bool           `yaml:"damping"`      // starting copies count as idle when scaling up, as Kubernetes does
	UpFactor    float64        `yaml:"up_factor"`    // at most this share more copies per interval (1 is +100 %)
	UpCopies    int            `yaml:"up_copies"`    // or this many more, whichever is more; both 0 is unlimited
	UpWindow    time.Duration  `yaml:"up_window"`    // the lowest wish of this window counts when going up
	DownWindow  time.Duration  `yaml:"down_window"`  // the highest wish of this window counts when going down
	DownFactor  float64        `yaml:"down_factor"`  // at most this share fewer copies per interval
	Contention  float64        `yaml:"contention"`   // σ of the universal scalability law: shared bottleneck
	Coherence   float64        `yaml:"coherence"`    // κ of the universal scalability law
	ScrapeDelay time.Duration  `yaml:"scrape_delay"` // how old the metric is that a decision sees
}

// Admission is how a copy defends itself beyond its bound.
type Admission struct {
	RetryAfter  time.Duration `yaml:"retry_after"`  // told with every 503; 0 sends none
	MaxHeld     int           `yaml:"max_held"`     // requests that one copy holds at a time, waiting for others included; 0 is unbounded
	FrontWeight int           `yaml:"front_weight"` // messages coming in go before messages going out, that many to one; 0: no difference
	BackQueue   int           `yaml:"back_queue"`   // with front_weight: sends that may wait in one copy; 0 is unbounded
	CoDel       policy.CoDel  `yaml:"codel"`        // controlled delay; zero is off
	Shed        policy.Shed   `yaml:"shed"`         // two-level priorities; zero is off
}

// Validate tells everything that is wrong, with keys under prefix.
func (r Replicas) Validate(prefix string) error {
	var errs []error
	bad := func(ok bool, key, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s.%s: "+format, append([]any{prefix, key}, args...)...))
		}
	}
	bad(r.Min >= 1, "min", "%d copies; at least 1 is needed", r.Min)
	bad(r.Max >= r.Min, "max", "%d is below min %d", r.Max, r.Min)
	bad(r.Max <= 10000, "max", "%d is more than 10000", r.Max)
	bad(r.Cores >= 1, "cores", "%d; at least 1 is needed", r.Cores)
	bad(r.Queue >= 0, "queue", "%d; write 0 for unbounded", r.Queue)
	bad(r.Probe >= 0, "probe", "negative")
	bad(r.Balance == "rotate" || r.Balance == "least", "balance", "%q is neither rotate nor least", r.Balance)
	return errors.Join(errs...)
}

// Validate tells everything that is wrong, with keys under prefix.
func (s Scaling) Validate(prefix string) error {
	var errs []error
	bad := func(ok bool, key, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s.%s: "+format, append([]any{prefix, key}, args...)...))
		}
	}
	switch s.Signal {
	case "none":
		return nil
	case "cpu", "backlog", "age", "all":
	default:
		bad(false, "signal", "unknown signal %q: use cpu, backlog, age, all or none", s.Signal)
	}
	bad(s.Interval > 0, "interval", "has to be above 0")
	bad(s.Target > 0, "target", "has to be above 0")
	bad(s.Signal != "backlog" && s.Signal != "all" || s.Backlog > 0, "backlog", "has to be above 0 for this signal")
	bad(s.Signal != "age" && s.Signal != "all" || s.Age > 0, "age", "has to be above 0 for this signal")
	bad(s.Tolerance >= 0 && s.Tolerance < 1, "tolerance", "%v is not within 0 and 1", s.Tolerance)
	bad(s.UpFactor >= 0 && s.UpCopies >= 0 && s.DownFactor >= 0, "up_factor", "limits cannot be negative")
	bad(s.Contention >= 0 && s.Coherence >= 0, "contention", "factors cannot be negative")
	bad(s.ScrapeDelay >= 0, "scrape_delay", "negative")
	return errors.Join(errs...)
}

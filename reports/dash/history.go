package dash

import (
	"math"
	"slices"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// The values that are computed from counters as they arrive, named so that no gauge can be called the same.
const (
	dOffered   = "~offered/s"
	dGoodput   = "~goodput/s"
	dDelivered = "~delivered/s"
	dTaken     = "~taken/s"
	dTimeouts  = "~timeouts/s"
	dErrors    = "~errors/s"
	dCopies    = "~copies/s"
	dAmplified = "~amplification"
	dAmpFront  = "~amplification front door"
	dAmpCreate = "~amplification create"
	dAmpSend   = "~amplification send"
	dWaste     = "~wasted share"
)

// rates are the counters drawn as rates.
func rates() map[string][]string {
	return map[string][]string{
		dOffered:   {record.GOffered},
		dGoodput:   {record.GGoodput},
		dDelivered: {record.GDelivered},
		dTaken:     {record.GAnswered},
		dTimeouts:  {record.GFrontTimeouts, record.GCreateTimeouts, record.GSendTimeouts},
		dErrors:    {record.GAPIErrors},
		dCopies:    {record.GDuplicates},
	}
}

// hops are where attempts are made: all of them, and the first ones.
func hops() map[string][2]string {
	return map[string][2]string{
		dAmpFront:  {record.GFrontDoor, record.GFrontDoorFirst},
		dAmpCreate: {record.GCreate, record.GCreateFirst},
		dAmpSend:   {record.GSend, record.GSendFirst},
	}
}

// Windows over which values are computed.
const (
	rateSpan  = time.Minute     // rates and ratios: arrivals are random, and ten seconds of them say little
	ampLeast  = 5               // first attempts that amplification needs to say anything
	slopeSpan = 2 * time.Minute // direction of the backlog
)

// maxEvents bounds the events kept; the oldest that tell least go first.
const maxEvents = 20_000

// History is everything a viewer was told, ready to be drawn at any instant. The zero value is not usable: see
// NewHistory. It is not safe for concurrent use.
type History struct {
	info    record.Info
	events  []record.Event
	table   *table
	recent  []record.Gauge // readings of the last minute and a half, for rates
	newest  time.Duration
	lastSeq int64
	items   int
	late    int // readings refused because they came out of order
}

// NewHistory returns an empty history.
func NewHistory() *History { return &History{table: newTable()} }

// Feed takes one item. A run.json of another run starts over.
func (h *History) Feed(it Item) {
	switch {
	case it.Info != nil:
		if h.info.ID != "" && h.info.ID != it.Info.ID {
			*h = *NewHistory()
		}
		h.info = *it.Info
	case it.Event != nil:
		h.event(*it.Event)
	case it.Gauge != nil:
		h.gauge(*it.Gauge)
	default:
		return
	}
	h.items++
}

func (h *History) event(e record.Event) {
	if e.Seq > 0 && e.Seq <= h.lastSeq {
		return // told twice
	}
	h.lastSeq = max(h.lastSeq, e.Seq)
	if len(h.events) >= maxEvents {
		h.forget()
	}
	if e.Seq > 0 {
		h.newest = max(h.newest, e.At)
	} else if e.Kind == "threshold" && h.told(e) {
		return
	}
	i := len(h.events) // nearly always the last; what was judged afterwards goes back to its instant
	for i > 0 && h.events[i-1].At > e.At {
		i--
	}
	h.events = slices.Insert(h.events, i, e)
}

// told reports whether a judged threshold is already known to be in this state, as after a new connection or at the
// end, when the summary has the last figures.
func (h *History) told(e record.Event) bool {
	for i := len(h.events) - 1; i >= 0; i-- {
		if k := &h.events[i]; k.Kind == "threshold" && k.ID == e.ID {
			if k.State == e.State {
				k.Text = e.Text
			}
			return k.State == e.State
		}
	}
	return false
}

// forget drops half of the events, those without a number or a threshold first.
func (h *History) forget() {
	kept := h.events[:0]
	for i, e := range h.events {
		if e.Number > 0 || e.Kind == "threshold" || e.Kind == "mark" || i >= maxEvents/2 {
			kept = append(kept, e)
		}
	}
	if len(kept) > maxEvents*3/4 {
		kept = append(h.events[:0], kept[len(kept)-maxEvents/2:]...)
	}
	h.events = kept
}

func (h *History) gauge(g record.Gauge) {
	if n := len(h.recent); n > 0 && g.At <= h.recent[n-1].At {
		h.late++
		return
	}
	values := make(map[string]float64, len(g.Values)+12)
	for k, v := range g.Values {
		values[k] = v
	}
	h.derive(g, values)
	if !h.table.add(g.At, values) {
		h.late++
		return
	}
	h.recent = append(h.recent, g)
	for len(h.recent) > 2 && h.recent[1].At <= g.At-rateSpan {
		h.recent = h.recent[1:]
	}
	h.newest = max(h.newest, g.At)
}

// derive computes the rates and ratios of a reading from the ones before it.
func (h *History) derive(g record.Gauge, into map[string]float64) {
	base := record.Gauge{}
	for _, r := range h.recent { // the last reading that is a whole span old, or the first there is
		if r.At > g.At-rateSpan && base.Values != nil {
			break
		}
		base = r
	}
	dt := (g.At - base.At).Seconds()
	if dt <= 0 {
		return
	}
	for name, counters := range rates() {
		if v := sumGain(g, base, counters...); !math.IsNaN(v) {
			into[name] = v / dt
		}
	}
	if work := sumGain(g, base, record.GWork); work > 0 {
		if v := sumGain(g, base, record.GWasted) / work; !math.IsNaN(v) {
			into[dWaste] = v
		}
	}
	all, first := 0.0, 0.0
	for name, hop := range hops() {
		a, f := sumGain(g, base, hop[0]), sumGain(g, base, hop[1])
		if math.IsNaN(a) || math.IsNaN(f) {
			continue
		}
		all, first = all+a, first+f
		if f >= ampLeast {
			into[name] = a / f
		}
	}
	if first >= ampLeast {
		into[dAmplified] = all / first
	}
}

// sumGain is by how much counters grew together; NaN when none of them is there, or one went backwards.
func sumGain(now, then record.Gauge, names ...string) float64 {
	sum, any := 0.0, false
	for _, n := range names {
		v, ok := now.Values[n]
		if !ok {
			continue
		}
		d := v - then.Values[n]
		if d < 0 {
			return math.NaN()
		}
		sum, any = sum+d, true
	}
	if !any {
		return math.NaN()
	}
	return sum
}

// end is where the plan ends, as far as it is known.
func (h *History) end() time.Duration {
	end := max(h.info.Duration, h.newest)
	for _, p := range h.info.Phases {
		end = max(end, p.To)
	}
	for _, e := range h.info.Plan {
		end = max(end, e.At)
	}
	return end
}

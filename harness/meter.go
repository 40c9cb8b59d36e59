package harness

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// meter reads the run's gauges at a steady pace: the ledger, the sender's trail, the system's gauges, our own counts.
type meter struct {
	runner *Runner
	table  *table
	seq    int64 // of the ledger, read so far
	last   record.Gauge
	taken  int64
	proofs proofs
	full   crowd
	open   []Entry // accepted attempts whose answers have not left, by when they are to
}

// page is how many ledger entries are read at once.
const page = 20_000

// run reads until ctx ends.
func (m *meter) run(ctx context.Context) {
	lane := m.runner.lanes().Of(instant.System, instant.Gauges)
	next, looked := m.table.start, time.Now()
	for {
		next = following(next, time.Now(), m.runner.Every)
		if !pause(ctx, lane.After(time.Now(), time.Until(next))) {
			return
		}
		looked = m.runner.watchClock(looked)
		if err := m.read(ctx); err != nil && ctx.Err() == nil {
			m.runner.warn(fmt.Sprintf("gauges could not be read: %v", err))
		}
	}
}

// following is when a reading is due after the one that was due at last. Readings that were missed by now are not made
// up for: a system that is slow to answer is not asked the more.
func following(last, now time.Time, every time.Duration) time.Time {
	next := last.Add(every)
	if late := now.Sub(next); late > 0 {
		next = next.Add(late.Truncate(every))
	}
	return next
}

// read takes one reading.
func (m *meter) read(ctx context.Context) error {
	sys := m.runner.System
	if sys.Trail != nil {
		rows, err := sys.Trail.Drain(ctx, m.table.start)
		if err != nil {
			return fmt.Errorf("read the sender's attempts: %w", err)
		}
		for _, a := range rows {
			m.table.hear(a)
			if !m.proofs.hold(a) {
				m.runner.Writer.Attempt(a)
			}
		}
	}
	if err := m.ledger(ctx); err != nil {
		return err
	}
	values := map[string]float64{}
	if sys.Gauges != nil {
		v, err := sys.Gauges.Read(ctx)
		if err != nil {
			return fmt.Errorf("read the system's gauges: %w", err)
		}
		maps.Copy(values, v)
	}
	g := record.Gauge{At: time.Since(m.table.start), Values: values}
	m.crowded(g)
	m.own(g)
	m.events(g)
	m.runner.orders(ctx, g.At)
	m.runner.Writer.Gauge(g)
	if m.runner.OnGauge != nil {
		m.runner.OnGauge(g)
	}
	m.table.mu.Lock()
	m.last = g
	m.table.mu.Unlock()
	return nil
}

// ledger folds the fake's new entries into the table and writes its attempts down.
func (m *meter) ledger(ctx context.Context) error {
	if m.runner.System.Ledger == nil {
		return nil
	}
	for {
		now := time.Now()
		entries, err := m.runner.System.Ledger.After(ctx, m.seq, page)
		if err != nil {
			return fmt.Errorf("read the fake's ledger: %w", err)
		}
		for _, e := range entries {
			m.seq = e.Seq
			m.table.fold(e)
			for _, a := range m.proofs.see(e) {
				m.runner.Writer.Attempt(a)
			}
			m.attempt(e)
		}
		if len(entries) < page {
			m.closeUntil(now)
			return nil
		}
	}
}

// attempt writes the Cloud API's attempt down, when it is known how it ended: the line of one that was accepted comes
// before its answer, which its client may not wait for.
func (m *meter) attempt(e Entry) {
	switch {
	case e.Status == "unanswered":
		i := slices.IndexFunc(m.open, func(o Entry) bool { return o.WAMID == e.WAMID })
		if i >= 0 {
			o := m.open[i]
			m.open = slices.Delete(m.open, i, i+1)
			o.Done, o.Answered = e.Done, 0
			m.close(o)
		}
	case e.Status != "":
	case e.Accepted:
		i, _ := slices.BinarySearchFunc(m.open, e, func(a, b Entry) int {
			if c := a.Done.Compare(b.Done); c != 0 {
				return c
			}
			return cmp.Compare(a.Seq, b.Seq)
		})
		m.open = slices.Insert(m.open, i, e)
	default:
		m.close(e)
	}
}

// close writes an attempt whose end is known.
func (m *meter) close(e Entry) {
	if e.Provider {
		return // nobody attempted it
	}
	a := record.Attempt{
		Message: e.Message, Hop: "api", Draft: e.Callback, At: m.table.since(e.At), Done: m.table.since(e.Done),
		Status: e.Answered, Code: e.Code, Taken: e.Accepted, WAMID: e.WAMID, Fault: e.Fault,
	}
	if e.Answered == 0 {
		a.Error = "withheld"
	}
	m.runner.Writer.Attempt(a)
}

// closeUntil writes the attempts whose answers have left by an instant.
func (m *meter) closeUntil(now time.Time) {
	n := 0
	for n < len(m.open) && !m.open[n].Done.After(now) {
		m.close(m.open[n])
		n++
	}
	m.open = slices.Delete(m.open, 0, n)
}

// closeAll writes the attempts whose answers had not left when the run ended, too: withheld, as far as it went.
func (m *meter) closeAll(end time.Time) {
	for _, e := range m.open {
		if e.Done.After(end) {
			e.Done, e.Answered = end, 0
		}
		m.close(e)
	}
	m.open = nil
}

// own adds what the harness counts itself.
func (m *meter) own(g record.Gauge) {
	t, v := m.table, g.Values
	t.mu.Lock()
	defer t.mu.Unlock()
	asked := int64(0)
	for m.taken < int64(len(t.rows)) && t.rows[m.taken].scheduled <= g.At {
		m.taken++
	}
	asked = m.taken
	c := t.count
	for name, n := range map[string]int64{
		record.GOffered: asked, record.GFrontDoor: c.frontDoor,
		record.GFrontDoorFirst: c.frontDoorFirst, record.GAnswered: c.answered, record.GRefused: c.refused,
		record.GFrontTimeouts: c.timeouts, record.GFront503: c.busy, record.GAPI: c.api, record.GAPIFirst: c.apiFirst,
		record.GAccepted: c.accepted, record.GGoodput: c.goodput, record.GDuplicates: c.duplicates, record.GDuplicated: c.duplicated,
		record.GDelivered: c.delivered, record.GMediaErrors: c.mediaErrors,
	} {
		v[name] = float64(n)
	}
	if m.runner.Team == nil { // a team tells of hits when they are done: what it has not sent is known in the end
		v[record.GUnsent] = float64(max(0, asked-c.offered))
	}
	v[record.GOfferedRate] = offeredRate(m.runner.Scenario.Load.Phases, g.At)
	total := int64(0)
	for code, n := range t.apiErrors {
		v["api_error_"+strconv.Itoa(code)+"_total"] = float64(n)
		total += n
	}
	v[record.GAPIErrors] = float64(total)
	quantiles(v, t.deliveries, record.GDeliveryP50, record.GDeliveryP99)
	quantiles(v, t.responses, record.GResponseP50, record.GResponseP99)
	quantiles(v, t.lateness, "", record.GLateness)
	t.deliveries, t.responses, t.lateness = t.deliveries[:0], t.responses[:0], t.lateness[:0]
}

// quantiles sets p50 and p99 in seconds, and nothing when there are no values: a gap is not a zero.
func quantiles(v map[string]float64, d []time.Duration, p50, p99 string) {
	if len(d) == 0 {
		return
	}
	slices.Sort(d)
	if p50 != "" {
		v[p50] = at(d, .5).Seconds()
	}
	v[p99] = at(d, .99).Seconds()
}

// events turns changes of the gauges, and the notes of people who watch, into events.
func (m *meter) events(g record.Gauge) {
	if n, ok := g.Values[record.GReplicasReady]; ok && n != m.runner.replicas {
		if m.runner.replicas != 0 || n == 0 {
			who := "whatsapp"
			if m.runner.Scenario.Target != nil {
				who = "target"
			}
			m.runner.emit(record.Event{
				At: g.At, Kind: "replica", Source: "sender", ID: who, State: "ready",
				Text: fmt.Sprintf("%s replicas ready: %g (was %g)", who, n, m.runner.replicas),
			})
		}
		m.runner.replicas = n
	}
	for {
		select {
		case e := <-m.runner.Marks:
			e.At = g.At
			m.runner.emit(e)
		default:
			return
		}
	}
}

// orders does the steps that the owner ordered by hand. They take the numbers after the planned ones.
func (r *Runner) orders(ctx context.Context, at time.Duration) {
	for {
		select {
		case s := <-r.Steps:
			d, _, err := r.step(s, fmt.Sprintf("hand-%d", r.numbered+1))
			e := d.event
			e.At = at
			if err == nil && d.act != nil {
				r.numbered++
				e.Number = r.numbered
				err = d.act(ctx)
			}
			if err != nil {
				e.Kind, e.Source = "warning", "operator"
				e.Text = strings.TrimSpace(e.Text + " refused: " + err.Error())
			}
			r.emit(e)
		default:
			return
		}
	}
}

// drained waits until the sender holds nothing and every accepted message has its status, for at most limit.
func (m *meter) drained(ctx context.Context, limit time.Duration) {
	end := time.Now().Add(limit)
	quiet := 0
	for time.Now().Before(end) && quiet < 3 {
		if !pause(ctx, m.runner.Every) {
			return
		}
		m.table.mu.Lock()
		backlog, known := m.last.Values[record.GBacklog]
		owed := m.table.count.goodput - m.table.count.delivered
		if !known && m.runner.Patient {
			owed = m.table.count.answered - m.table.count.delivered
		}
		m.table.mu.Unlock()
		switch {
		case known && backlog > 0:
			quiet = 0
		case owed > 0 && quiet == 2 && time.Until(end) > limit/2:
			quiet = 1 // statuses are still on their way
		default:
			quiet++
		}
	}
}

// end closes the table: what was due and never left is unsent, what was not due when the run was interrupted was
// never offered.
func (t *table) end(at time.Duration, interrupted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !interrupted {
		return
	}
	n := len(t.rows)
	for n > 0 && !t.rows[n-1].fired && t.rows[n-1].scheduled > at {
		n--
	}
	t.rows = t.rows[:n]
}

func (r *Runner) warn(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.warnings) < 20 && !slices.Contains(r.warnings, what) {
		r.warnings = append(r.warnings, what)
	}
}

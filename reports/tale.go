package reports

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Tale is everything that happened to one message, in order.
type Tale struct {
	Message record.Message `json:"message"`
	Lines   []TaleLine     `json:"lines"`
}

// TaleLine is one thing that happened.
type TaleLine struct {
	At   time.Duration `json:"at_ns"`
	Deep int           `json:"depth"` // how far inside the system: 0 the client, 1 creating, 2 sending, 3 the API
	Text string        `json:"text"`
}

// Tell tells the story of one message.
func (r *Report) Tell(id string) (Tale, error) {
	var m *record.Message
	for i := range r.data.messages {
		if r.data.messages[i].ID == id {
			m = &r.data.messages[i]
			break
		}
	}
	if m == nil {
		return Tale{}, fmt.Errorf("the run has no message %q: its messages are %s", id, r.idRange())
	}
	trails, err := r.trails(func(o *record.Message) bool { return o.ID == id })
	if err != nil {
		return Tale{}, err
	}
	t := Tale{Message: *m}
	tell := func(at time.Duration, deep int, format string, args ...any) {
		t.Lines = append(t.Lines, TaleLine{at, deep, fmt.Sprintf(format, args...)})
	}
	tell(m.Scheduled, 0, "due")
	if m.Sent != record.Never && m.Sent-m.Scheduled > time.Millisecond {
		tell(m.Sent, 0, "the harness sent it, %s late", FormatDuration(time.Duration(float64(m.Sent-m.Scheduled)/r.Info.Squeeze())))
	}
	counts := map[string]int{}
	accepted := 0
	for _, a := range trails[id] {
		counts[a.Hop]++
		if a.Number == 0 {
			a.Number = counts[a.Hop]
		}
		text := attemptText(a)
		if a.Hop == "api" && a.Taken {
			accepted++
			if accepted > 1 {
				text += fmt.Sprintf(": copy %d, %s", accepted, copyCause(m, accepted))
			}
		}
		tell(a.At, hopDepth(a.Hop), "%s", text)
	}
	if m.Delivered != record.Never {
		tell(m.Delivered, 0, "delivered, %s after it was due", FormatDuration(m.Delivered-m.Scheduled))
	}
	for _, e := range r.numbered() {
		if e.At > m.Scheduled && e.At < lastInstant(m, trails[id]) {
			tell(e.At, 0, "(%d) %s", e.Number, e.Text)
		}
	}
	sort.SliceStable(t.Lines, func(i, j int) bool { return t.Lines[i].At < t.Lines[j].At })
	return t, nil
}

func (r *Report) idRange() string {
	if len(r.data.messages) == 0 {
		return "none"
	}
	return r.data.messages[0].ID + " to " + r.data.messages[len(r.data.messages)-1].ID
}

func hopDepth(hop string) int {
	return map[string]int{"create": 1, "send": 2, "media": 3, "api": 3}[hop]
}

func copyCause(m *record.Message, copy int) string {
	if i := copy - 2; i < len(m.Causes) {
		return "because " + record.CauseOf(m.Causes[i]).Words
	}
	return record.CauseOf(record.Unknown).Words
}

func lastInstant(m *record.Message, trail []record.Attempt) time.Duration {
	last := max(m.Answered, m.Accepted, m.Delivered)
	for _, a := range trail {
		last = max(last, a.Done)
	}
	return last
}

// attemptText says what one attempt was and what came of it.
func attemptText(a record.Attempt) string {
	s := fmt.Sprintf("%s, attempt %d", hopName(a.Hop), a.Number)
	if a.Draft != "" && a.Hop != "api" {
		s += ", draft " + a.Draft
	}
	if a.Replica != "" {
		s += " at " + a.Replica
	}
	took := FormatDuration(a.Done - a.At)
	switch {
	case a.Error != "":
		s += fmt.Sprintf(" → %s after %s", a.Error, took)
	case a.Status == 0:
		s += " → no answer in " + took
	default:
		s += fmt.Sprintf(" → %d after %s", a.Status, took)
	}
	if a.Code != 0 {
		s += fmt.Sprintf(", code %d", a.Code)
	}
	if attemptFailed(a) && a.Taken {
		s += "; it had been done all the same"
	}
	if a.Fault != "" {
		s += ", fault " + a.Fault
	}
	if a.WAMID != "" {
		s += ", " + a.WAMID
	}
	return s
}

// Text prints the tale.
func (t Tale) Text(start time.Time) string {
	m := t.Message
	var b strings.Builder
	b.WriteString(m.ID + ": ")
	if m.To != "" { // not known of a run that was killed
		fmt.Fprintf(&b, "%s to recipient %s, ", m.Type, m.To)
	}
	b.WriteString("due at " + FormatClock(m.Scheduled))
	if !start.IsZero() {
		fmt.Fprintf(&b, " (%s)", start.Add(m.Scheduled).Format("15:04:05 -07:00"))
	}
	b.WriteString("\n\n")
	for _, l := range t.Lines {
		head := "  " + preciseClock(l.At) + "  " + strings.Repeat("  ", l.Deep)
		for _, words := range wrap(l.Text, textWidth-len(head)) {
			b.WriteString(head + words + "\n")
			head = strings.Repeat(" ", len(head))
		}
	}
	fmt.Fprintf(&b, "\n  in the end: %s", m.Outcome)
	if m.Reason != "" {
		fmt.Fprintf(&b, ", %s", m.Reason)
	}
	if n := copiesBeyond(&m); n > 0 {
		fmt.Fprintf(&b, "; accepted %d times, %d too many", m.Copies, n)
	}
	if m.HasSlack {
		if m.Slack < 0 {
			fmt.Fprintf(&b, "; its media had expired %s before the last attempt", FormatDuration(-m.Slack))
		} else {
			fmt.Fprintf(&b, "; its media had %s left at the last attempt", FormatDuration(m.Slack))
		}
	}
	b.WriteString("\n")
	return b.String()
}

func preciseClock(d time.Duration) string {
	return fmt.Sprintf("%s.%03d", FormatClock(d.Truncate(time.Second)), d%time.Second/time.Millisecond)
}

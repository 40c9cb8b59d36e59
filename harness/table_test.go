package harness

import (
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

func TestCauses(t *testing.T) {
	const id = "m000007"
	for _, c := range []struct {
		name   string
		copies []string
		want   []string
	}{
		{"one copy", []string{"m000007.1-1.1"}, nil},
		{"the dispatcher sent again", []string{"m000007.1-1.1", "m000007.1-1.2"}, []string{"send_retry"}},
		{"the front door created again", []string{"m000007.1-1.1", "m000007.1-2.1"}, []string{"create_retry"}},
		{"the client asked again", []string{"m000007.1-1.1", "m000007.2-1.1"}, []string{"client_retry"}},
		{"the queue delivered again", []string{"m000007.1-1.1", "m000007.1-1.1"}, []string{"redelivery"}},
		{"idempotent drafts", []string{"m000007-1.1", "m000007-1.2"}, []string{"send_retry"}},
		{"the nearest explanation wins", []string{"m000007.1-1.1", "m000007.2-1.1", "m000007.2-1.2"}, []string{"client_retry", "send_retry"}},
		{"a stranger", []string{"", ""}, []string{"unknown"}},
	} {
		tab := newTable(time.Now(), make([]time.Duration, 10))
		for _, callback := range c.copies {
			tab.fold(Entry{Message: id, Callback: callback, Accepted: true, At: time.Now()})
		}
		var got []string
		if more := tab.rows[6].more; more != nil {
			got = more.causes
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
		if int(tab.count.duplicates) != len(c.want) {
			t.Errorf("%s: counted %d duplicates, want %d", c.name, tab.count.duplicates, len(c.want))
		}
	}
}

// A copy that the API reports as failed never arrives: sending the message again is no duplicate.
func TestFailedCopyIsNoDuplicate(t *testing.T) {
	tab := newTable(time.Now(), make([]time.Duration, 1))
	tab.fold(Entry{Message: "m000001", Callback: "m000001.1-1.1", Accepted: true, At: time.Now()})
	tab.fold(Entry{Message: "m000001", Status: "failed", Code: 131053, Expired: true, At: time.Now()})
	tab.fold(Entry{Message: "m000001", Callback: "m000001.1-1.2", Accepted: true, At: time.Now()})
	tab.fold(Entry{Message: "m000001", Status: "delivered", At: time.Now()})
	if r := tab.rows[0]; r.copies != 1 || r.more != nil || tab.count.goodput != 1 || r.delivered == record.Never {
		t.Errorf("copies %d, goodput %d, delivered %v", r.copies, tab.count.goodput, r.delivered)
	}
}

// Who asked once and gets two copies has a sender that sent again, when the first answer did not arrive.
func TestCopiesOfASenderWithoutLineage(t *testing.T) {
	for _, c := range []struct {
		name     string
		tries    int
		answered int
		want     string
	}{
		{"asked once, not told", 1, 0, "send_retry"}, {"asked once, told an error", 1, 500, "send_retry"},
		{"asked once, told", 1, 200, "unknown"}, {"asked twice", 2, 0, "unknown"},
	} {
		tab := newTable(time.Now(), make([]time.Duration, 1))
		tab.fire(1, time.Now())
		for range c.tries {
			tab.tried(1, Try{Status: 202})
		}
		tab.answer(1, time.Now(), true)
		tab.fold(Entry{Message: "m000001", Accepted: true, Answered: c.answered})
		tab.fold(Entry{Message: "m000001", Accepted: true, Answered: 200})
		if got := tab.rows[0].more.causes[0]; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestOutcomes(t *testing.T) {
	never := row{fired: true, sent: 1, accepted: record.Never, delivered: record.Never}
	with := func(f func(*row)) row { r := never; f(&r); return r }
	for _, c := range []struct {
		name  string
		row   row
		v     verdict
		books bool
		taken bool
		want  record.Outcome
	}{
		{"never left", row{delivered: record.Never}, verdict{}, true, false, record.Unsent},
		{"delivered", with(func(r *row) { r.delivered = 5; r.copies = 1 }), verdict{}, true, true, record.Delivered},
		{"accepted only", with(func(r *row) { r.copies = 1 }), verdict{}, true, true, record.Pending},
		{"in the backlog", never, verdict{state: "queued", known: true}, true, true, record.Pending},
		{"media ran out", with(func(r *row) { r.mediaErrors = 5 }), verdict{state: "dead", reason: "media expired", known: true, final: true}, true, true, record.Expired},
		{"validity ran out", never, verdict{state: "expired", known: true, final: true}, true, true, record.Expired},
		{"refused for good", never, verdict{state: "failed", reason: "131026", known: true, final: true}, true, true, record.Failed},
		{"believed sent", never, verdict{state: "sent", known: true, final: true}, true, true, record.Lost},
		{"forgotten", never, verdict{}, true, true, record.Lost},
		{"turned away", with(func(r *row) { r.status = 503 }), verdict{}, true, false, record.Shed},
		{"no answer, not taken", never, verdict{}, true, false, record.Shed},
		{"bad request", with(func(r *row) { r.status = 400 }), verdict{}, true, false, record.Failed},
		{"no books, taken", never, verdict{}, false, true, record.Lost},
		{"the API gave it up for its media", with(func(r *row) { r.refused, r.expired = true, true }), verdict{}, false, true, record.Expired},
	} {
		if got, why := outcome(&c.row, c.v, c.books, c.taken); got != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, got, why, c.want)
		}
	}
}

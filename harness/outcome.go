package harness

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// verdict is what the sender's books say of a message.
type verdict struct {
	state, reason string
	final, known  bool
}

// outcome decides how a message ended, from what the fake's ledger proved and, where it proves nothing, from the
// sender's books. books is false when the sender keeps none that we can read.
func outcome(r *row, v verdict, books, taken bool) (record.Outcome, string) {
	switch {
	case !r.fired:
		return record.Unsent, "the harness did not get to send it"
	case r.astray != "":
		return record.Misdelivered, r.astray
	case r.delivered != record.Never:
		return record.Delivered, ""
	case r.copies > 0:
		return record.Pending, "accepted by the API, no delivery yet"
	case v.known && !v.final:
		return record.Pending, v.reason
	case r.refused && r.expired, v.known && v.state == "expired", v.known && r.mediaErrors > 0 && strings.Contains(v.reason, "media"):
		return record.Expired, firstOf(v.reason, "media had expired")
	case r.refused:
		return record.Failed, "the API reported " + strconv.Itoa(int(r.code))
	case v.known && (v.state == "accepted" || v.state == "sent" || v.state == "delivered" || v.state == "read"):
		return record.Lost, "the sender believes it was sent, the API never accepted it"
	case v.known:
		return record.Failed, firstOf(v.reason, v.state)
	case taken && books:
		return record.Lost, "taken by the sender, unknown to its books"
	case taken:
		return lostWithoutBooks(r)
	case r.status >= 400 && r.status < 500 && r.status != 429 && r.status != 408:
		return record.Failed, "refused with " + strconv.Itoa(int(r.status))
	case r.status != 0:
		return record.Shed, "refused with " + strconv.Itoa(int(r.status))
	}
	return record.Shed, "no answer in time, and not taken"
}

// lostWithoutBooks judges a message that a sender without books took and that the API never accepted.
func lostWithoutBooks(r *row) (record.Outcome, string) {
	if r.mediaErrors > 0 {
		return record.Expired, "media had expired"
	}
	return record.Lost, "taken by the sender, never accepted by the API"
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// verdicts asks the sender's books for every message that the ledger does not tell enough of.
func (r *Runner) verdicts(ctx context.Context, t *table) (map[uint64]verdict, error) {
	if r.System.Books == nil {
		return nil, nil
	}
	t.mu.Lock()
	var open []uint64
	for i := range t.rows {
		if row := &t.rows[i]; row.fired && row.delivered == record.Never && row.copies == 0 {
			open = append(open, uint64(i+1))
		}
	}
	t.mu.Unlock()
	out := make(map[uint64]verdict, len(open))
	for _, n := range open {
		state, reason, final, known, err := r.System.Books.State(ctx, messageID(n))
		if err != nil {
			return out, err
		}
		out[n] = verdict{state, reason, final, known}
	}
	return out, nil
}

// settle turns the table into the record's messages, in order. The books are asked first and the ledger is read after
// them: a sender that still works may have had a message accepted in between, which is not lost.
func (r *Runner) settle(ctx context.Context, meter *meter, f form, m *mint) ([]record.Message, error) {
	t := meter.table
	verdicts, err := r.verdicts(ctx, t)
	if err == nil {
		err = meter.ledger(ctx)
	}
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	hash := chance.New(r.Scenario.Seed).For("anonymise")
	phases := r.phases()
	out := make([]record.Message, len(t.rows))
	for i := range t.rows {
		row, n := &t.rows[i], uint64(i+1)
		msg := m.make(n)
		v := verdicts[n]
		o, why := outcome(row, v, r.System.Books != nil, row.finished && f.taken(int(row.status)))
		out[i] = record.Message{
			ID: msg.id(), To: strconv.FormatUint(hash.Bits(chance.Key(msg.to)), 36), Type: msg.kind,
			Phase: phaseAt(phases, row.scheduled), Scheduled: row.scheduled, Sent: row.sent, Answered: row.answered,
			Accepted: row.accepted, Delivered: row.delivered, Tries: int(row.tries), Status: int(row.status),
			API: int(row.api), APIMedia: int(row.mediaErrors), Copies: int(row.copies), Slack: row.slack,
			HasSlack: row.hasSlack, Outcome: o, Reason: why, Sender: v.state,
		}
		out[i].Causes = row.reasons()
	}
	return out, nil
}

func phaseAt(phases []record.Phase, at time.Duration) int {
	for i, p := range phases {
		if at < p.To {
			return i
		}
	}
	return len(phases) - 1
}

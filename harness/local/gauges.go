package local

import (
	"context"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// gauges reads the sender's numbers under the record's names. Core time is a counter in the sender; the record wants
// cores busy, averaged since the reading before.
type gauges struct {
	sender *process
	last   time.Time
	used   [2]time.Duration
}

// Read implements harness.Gauges.
func (g *gauges) Read(context.Context) (map[string]float64, error) {
	s := g.sender.stats()
	now := time.Now()
	took := now.Sub(g.last)
	w, d := s.WhatsApp, s.DraftsOf
	v := map[string]float64{
		record.GCreate: float64(s.Creates), record.GCreateFirst: float64(s.CreateFirst),
		record.GCreateTimeouts: float64(s.CreateTimeouts),
		record.GSend:           float64(s.Sends), record.GSendFirst: float64(s.SendFirst),
		record.GSendTimeouts: float64(s.SendTimeouts), record.GSend503: float64(s.Send503),
		record.GExpired: float64(s.MessagesExpired), record.GFailed: float64(s.MessagesFailed),
		record.GDraftsHeld: float64(s.Backlog), record.GDraftsExpired: float64(s.Expired), record.GDraftsFailed: float64(s.Failed + s.Dead + s.GivenUp),
		record.GBacklog: float64(s.MessagesHeld), record.GReady: float64(s.Ready), record.GRetrying: float64(s.Retrying),
		record.GInFlight: float64(s.InFlight), record.GOldest: s.OldestAge.Seconds(), record.GUnknown: float64(s.Unknown),
		record.GHeld: float64(s.Held), record.GResolved: float64(s.Resolved), record.GResolvedLate: float64(s.ResolvedLate),
		record.GGivenUp: float64(s.GivenUp), record.GIllegal: float64(s.Illegal),
		record.GReplicasReady: float64(w.Ready), record.GReplicasWant: float64(w.Wanted), record.GReplicasMax: float64(w.Max),
		record.GWhatsAppMem: float64(w.Memory), record.GDraftsMem: float64(d.Memory),
		record.GWasted: (w.Wasted + d.Wasted).Seconds(), record.GWork: (w.Used + d.Used).Seconds(),
		record.GRateLimit: s.RateLimit,
	}
	if took > 0 {
		v[record.GWhatsAppCPU] = (w.Used - g.used[0]).Seconds() / took.Seconds()
		v[record.GDraftsCPU] = (d.Used - g.used[1]).Seconds() / took.Seconds()
	}
	if s.SendCount > 0 {
		v[record.GSendP50], v[record.GSendP99] = s.SendP50.Seconds(), s.SendP99.Seconds()
	}
	g.last, g.used = now, [2]time.Duration{w.Used, d.Used}
	return v, nil
}

package remote

import (
	"context"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/harness/internal/used"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// gauges reads the numbers of a system whose parts run elsewhere: what the services count, and what each part uses of
// the machine. The services' own cores and memory are those of the model, as in virtual time; a part's are real.
type gauges struct {
	*usage
	last time.Time
	used [2]time.Duration
}

// Read implements harness.Gauges.
func (g *gauges) Read(ctx context.Context) (map[string]float64, error) {
	s := g.system
	running := s.pool.running()
	s.tally.ask(ctx, append([]Unit{s.drafts}, running...))
	w, d := s.tally.whatsapp(running), s.tally.drafts()
	ready, coming, wanted := s.pool.inRotation()
	now := time.Now()
	v := map[string]float64{
		record.GCreate: float64(w.Creates), record.GCreateFirst: float64(w.CreateFirst), record.GCreateTimeouts: float64(w.CreateTimeouts),
		record.GSend: float64(d.Sends), record.GSendFirst: float64(d.SendFirst), record.GSendTimeouts: float64(d.SendTimeouts),
		record.GSend503: float64(d.Send503), record.GExpired: float64(d.MessagesExpired), record.GFailed: float64(d.MessagesFailed),
		record.GDraftsHeld: float64(d.Backlog), record.GDraftsExpired: float64(d.Expired), record.GDraftsFailed: float64(d.Failed + d.Dead + d.GivenUp),
		record.GBacklog: float64(d.MessagesHeld), record.GReady: float64(d.Ready), record.GRetrying: float64(d.Retrying),
		record.GInFlight: float64(d.InFlight), record.GOldest: d.OldestAge.Seconds(), record.GUnknown: float64(d.Unknown),
		record.GHeld: float64(d.Held), record.GResolved: float64(d.Resolved), record.GResolvedLate: float64(d.ResolvedLate),
		record.GGivenUp: float64(d.GivenUp), record.GIllegal: float64(d.Illegal),
		record.GReplicasReady: float64(ready), record.GReplicasWant: float64(max(wanted, 0)),
		record.GReplicasMax: float64(s.settings.fleet().Replicas.Max), record.GDraftsReplicas: float64(d.DraftsOf.Ready),
		record.GWhatsAppMem: float64(w.WhatsApp.Memory), record.GDraftsMem: float64(d.DraftsOf.Memory),
		record.GWasted: (w.WhatsApp.Wasted + d.DraftsOf.Wasted).Seconds(), record.GWork: (w.WhatsApp.Used + d.DraftsOf.Used).Seconds(),
		record.GRateLimit: d.RateLimit, "whatsapp_replicas_starting": float64(coming),
	}
	if took := now.Sub(g.last); took > 0 {
		v[record.GWhatsAppCPU] = (w.WhatsApp.Used - g.used[0]).Seconds() / took.Seconds()
		v[record.GDraftsCPU] = (d.DraftsOf.Used - g.used[1]).Seconds() / took.Seconds()
		g.sample(ctx, v)
	}
	if d.SendCount > 0 {
		v[record.GSendP50], v[record.GSendP99] = d.SendP50.Seconds(), d.SendP99.Seconds()
	}
	g.last, g.used = now, [2]time.Duration{w.WhatsApp.Used, d.DraftsOf.Used}
	return v, nil
}

// usage reads what the parts of a system use of the machine.
type usage struct {
	system *System
	parts  map[string]sampled // at the last reading
	before time.Time          // when that was
}

// newUsage takes a first reading, so that the next one knows what was used in between.
func newUsage(ctx context.Context, s *System) *usage {
	g := &usage{system: s, parts: map[string]sampled{}}
	g.sample(ctx, map[string]float64{})
	return g
}

// sampled is the CPU time that a part had used at an instant.
type sampled struct {
	at  time.Time
	cpu time.Duration
}

// Read implements harness.Gauges for a system that tells nothing of itself.
func (g *usage) Read(ctx context.Context) (map[string]float64, error) {
	v := map[string]float64{}
	g.sample(ctx, v)
	if p := g.system.pool; p != nil {
		ready, _, _ := p.inRotation()
		v[record.GReplicasReady], v[record.GReplicasWant] = float64(ready), float64(g.system.copies.Load())
	}
	if x := g.system.scraper; x != nil {
		x.read(ctx, v)
	}
	return v, nil
}

// sample adds what every part uses, and what we use ourselves: part_whatsapp_1_cpu_cores, part_whatsapp_1_memory_bytes, and so on.
func (g *usage) sample(ctx context.Context, v map[string]float64) {
	ctx, cancel := context.WithTimeout(ctx, quickly)
	defer cancel()
	var mu sync.Mutex
	note := func(part string, use Usage, err error) {
		if err != nil {
			return // it ended just now
		}
		now := time.Now()
		mu.Lock()
		defer mu.Unlock()
		name := record.GPart + strings.NewReplacer("/", "_", "-", "_").Replace(part)
		before, ok := g.parts[part]
		if !ok {
			before.at = g.before // it was started since then
		}
		if !before.at.IsZero() {
			v[name+record.GPartCPU] = max(0, (use.CPU-before.cpu).Seconds()/now.Sub(before.at).Seconds())
		}
		g.parts[part] = sampled{now, use.CPU}
		v[name+record.GPartMemory] = float64(use.Memory)
	}
	var all sync.WaitGroup
	for _, u := range g.system.units() {
		all.Go(func() {
			use, err := u.Usage(ctx)
			note(u.Name(), use, err)
		})
	}
	cpu, memory, err := used.By(os.Getpid())
	note("harness", Usage{cpu, memory}, err)
	all.Wait()
	g.before = time.Now()
}

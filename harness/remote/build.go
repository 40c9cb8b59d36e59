package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
)

// Options say which system is built.
type Options struct {
	Engine   Engine
	Scenario *scenarios.Scenario // as written: time is squeezed here
	Compress float64             // durations divided, rates multiplied; 0 and 1 change nothing
	Every    time.Duration       // between two readings of the gauges, in scenario time; default 10 s
	Queue    string              // memory (default) | jetstream
	NATS     string              // an outside cluster, for jetstream
	Nodes    int                 // NATS nodes to run when NATS names none; default 3
	Run      string              // id of the run
	Outside  Outside             // with a target in the scenario, or a URL here: someone else's sender
}

// System is a system that runs elsewhere. Its embedded harness.System is what a Runner takes.
type System struct {
	harness.System

	Scenario  *scenarios.Scenario // as run: squeezed when time is
	MediaBase string
	Every     time.Duration

	opts     Options
	key      string
	client   *client
	fake     fake
	gateway  Unit
	drafts   Unit
	nats     []Unit
	pool     *pool
	settings *settings
	tally    *tally
	stop     context.CancelFunc
	running  sync.WaitGroup
	life     context.Context
	front    *http.Transport

	copies         atomic.Int64 // of someone else's sender
	squeezer       *faketime    // of someone else's sender; nil in real time
	scraper        *scraper     // of its own figures; nil without target.metrics
	unverified     string       // why its webhook would get nothing from Meta
	deathsOfDrafts uint64       // on purpose; the timeline alone counts
}

// Build starts the system that o asks for. The engine is the system's from then on: Close ends it, and so does Build
// when something fails.
func Build(ctx context.Context, o Options) (*System, error) {
	s, err := prepare(o)
	if err != nil {
		return nil, errors.Join(err, o.Engine.Close())
	}
	begin := s.begin
	if o.Scenario.Target != nil || o.Outside.URL != "" {
		if err := s.checkTarget(ctx); err != nil {
			return nil, errors.Join(err, o.Engine.Close())
		}
		begin = s.beginTarget
	}
	if err := begin(ctx); err != nil {
		return nil, errors.Join(err, s.takeDown())
	}
	return s, nil
}

// prepare reads the scenario's settings and refuses what this environment cannot do.
func prepare(o Options) (*System, error) {
	o.Compress, o.Every = max(o.Compress, 1), cmp.Or(o.Every, 10*time.Second)
	o.Queue, o.Nodes = cmp.Or(o.Queue, "memory"), cmp.Or(o.Nodes, 3)
	for _, step := range o.Scenario.Timeline {
		if step.Partition != "" && o.Engine.Name() == "processes" {
			return nil, fmt.Errorf("timeline at %v: partition %s: processes share one network; use --env containers, or pause it", step.At, step.Partition)
		}
	}
	senderCfg, err := sut.ParseConfig("sender", o.Scenario.Sender)
	if err != nil {
		return nil, err
	}
	s := &System{opts: o, Scenario: o.Scenario, Every: o.Every, key: rand.Text(), front: part.NewTransport()}
	if o.Compress > 1 {
		s.Scenario = o.Scenario.Squeeze(o.Compress)
		s.Every = time.Duration(float64(o.Every) / o.Compress)
		quantity.Squeeze(&senderCfg, o.Compress)
	}
	s.client = newClient(s.key, part.Control)
	s.tally = newTally(s.client)
	s.settings = &settings{system: s, cfg: senderCfg}
	s.life, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// begin starts the parts, those first whose addresses others need.
func (s *System) begin(ctx context.Context) (err error) {
	if s.gateway, err = start(ctx, s.opts.Engine, s.part(part.Spec{Kind: part.Gateway, Name: "gateway"})); err != nil {
		return err
	}
	s.MediaBase = s.gateway.Inside(part.Media)
	if err := s.tryDelays(ctx); err != nil {
		return err
	}
	if err := s.startNATS(ctx); err != nil {
		return err
	}
	if err := s.startFake(ctx); err != nil {
		return err
	}
	if err := s.startSender(ctx); err != nil {
		return err
	}
	return s.assemble(ctx)
}

func (s *System) startFake(ctx context.Context) error {
	cfg, err := fakewa.ParseConfig("whatsapp", s.opts.Scenario.WhatsApp)
	if err != nil {
		return err
	}
	quantity.Squeeze(&cfg, s.opts.Compress)
	u, err := start(ctx, s.opts.Engine, s.part(part.Spec{
		Kind: part.Fake, Name: "fake", Config: yaml(cfg), Webhook: s.gateway.Inside(part.HTTP) + "/webhooks/whatsapp",
		MediaHosts: []string{strings.TrimPrefix(s.MediaBase, "http://")},
	}))
	s.fake = s.fakePart(u)
	return err
}

func (s *System) startSender(ctx context.Context) (err error) {
	common := part.Spec{
		WhatsApp: s.gateway.Inside(part.HTTP), API: s.fake.unit.Inside(part.HTTP) + "/v24.0",
	}
	d := common
	d.Kind, d.Name, d.Config = part.Drafts, "drafts", s.settings.forDrafts()
	d.Queue, d.URL, d.Prefix, d.Replicas = s.opts.Queue, s.natsURL(), "aftershock-"+plain(s.opts.Run), min(3, len(s.nats))
	if s.drafts, err = start(ctx, s.opts.Engine, s.part(d)); err != nil {
		return err
	}
	common.Drafts = s.drafts.Inside(part.HTTP)
	s.pool = &pool{
		name: part.WhatsApp, engine: s.opts.Engine, client: &http.Client{Transport: part.NewTransport()},
		draws: chance.New(s.opts.Scenario.Seed).For("whatsapp").For("start"), settings: s.settings.fleet, load: s.load,
		version: s.settings.version.Load,
		greet:   func(ctx context.Context, u Unit) error { return s.tell(ctx, u, s.settings.forReplica()) },
		rotate: func(ctx context.Context, urls []string) error {
			return s.rotate(s.settings.fleet().Replicas.Balance)(ctx, urls)
		},
		part: func(slot int) Part {
			w := common
			w.Kind, w.Name, w.Config = part.WhatsApp, fmt.Sprintf("whatsapp/%d", slot), s.settings.forReplica()
			return s.part(w)
		},
	}
	if err := s.pool.begin(ctx); err != nil {
		return err
	}
	s.running.Go(func() { s.pool.run(s.life) })
	return nil
}

// plain keeps what the names of streams may hold.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, s)
}

// part makes a spec into something that an engine runs.
func (s *System) part(spec part.Spec) Part {
	spec.Key, spec.Seed = s.key, s.opts.Scenario.Seed
	var env map[string]string
	if cores := s.sharedCores(); cores > 0 { // whoever sets it knows better
		env = map[string]string{"GOMAXPROCS": cmp.Or(os.Getenv("GOMAXPROCS"), strconv.Itoa(Share(cores)))}
	}
	return Part{
		Name: spec.Name, Doors: part.Doors(spec.Kind), Ready: part.Ready(spec.Kind),
		Files: map[string][]byte{specFile: encodeSpec(spec)},
		Args: func(listen map[string]string, file func(string) string) []string {
			return part.Args(file(specFile), file("store"), listen)
		},
		Env:    env,
		Within: time.Minute,
	}
}

// specFile is the file that tells a part what it is.
const specFile = "spec.json"

func encodeSpec(spec part.Spec) []byte {
	b, err := json.MarshalIndent(spec, "", "  ")
	if err != nil { // a plain struct
		panic(err)
	}
	return b
}

// tell gives a service its settings.
func (s *System) tell(ctx context.Context, u Unit, yaml string) error {
	ctx, cancel := context.WithTimeout(ctx, quickly)
	defer cancel()
	return s.client.do(ctx, u, http.MethodPatch, "/settings", []byte(yaml), nil)
}

// load is what scaling looks at: the core time of the model, or that of the machine when nothing is simulated.
func (s *System) load(ctx context.Context, units []Unit) (load, error) {
	s.tally.ask(ctx, append([]Unit{s.drafts}, s.pool.running()...))
	d := s.tally.drafts()
	l := load{used: s.tally.used(), backlog: d.Ready, oldest: d.OldestWaiting}
	if s.settings.config().Simulate {
		return l, nil
	}
	l.used = 0
	for _, u := range units {
		use, err := u.Usage(ctx)
		if err != nil {
			return l, err
		}
		l.used += use.CPU
	}
	return l, nil
}

// assemble fills the handles in.
func (s *System) assemble(ctx context.Context) error {
	effective := map[string]string{}
	for k, v := range strict.Flatten(s.settings.config()) {
		effective["sender."+k] = v
	}
	whatsapp, err := s.fake.client().Effective(ctx)
	if err != nil {
		return err
	}
	for k, v := range whatsapp {
		effective["whatsapp."+k] = v
	}
	s.System = harness.System{
		Name: s.opts.Engine.Name(), Queue: s.opts.Queue, URL: s.gateway.URL(part.HTTP), Transport: s.front, Effective: effective,
		Faults: s.fake, Ledger: s.fake, Settings: s.settings, Replicas: replicas{s},
		Gauges: &gauges{usage: newUsage(ctx, s), last: time.Now()},
		Books:  &books{client: s.client, unit: s.drafts},
		Trail:  &trail{client: s.client, units: func() []Unit { return append([]Unit{s.drafts}, s.pool.running()...) }},
	}
	return nil
}

// sharedCores is how many cores the parts and the load have between them, when all are on this machine.
func (s *System) sharedCores() int {
	if e, ok := s.opts.Engine.(Sharer); ok {
		return e.Cores()
	}
	return 0
}

// fixed lists the parts that nobody scales.
func (s *System) fixed() []Unit {
	var out []Unit
	for _, u := range append([]Unit{s.gateway, s.fake.unit, s.drafts}, s.nats...) {
		if u != nil {
			out = append(out, u)
		}
	}
	return out
}

// units lists every part that was started.
func (s *System) units() []Unit {
	out := s.fixed()
	if s.pool == nil {
		return out
	}
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	return append(out, s.pool.all()...)
}

// Close ends every part and waits until nothing of them is left. It tells of parts that had ended by themselves.
func (s *System) Close() error {
	s.stop()
	s.running.Wait()
	errs := s.deaths()
	return errors.Join(append(errs, s.takeDown())...)
}

// takeDown ends every part.
func (s *System) takeDown() error {
	s.stop()
	s.running.Wait()
	err := s.opts.Engine.Close()
	s.squeezer.close()
	s.front.CloseIdleConnections()
	s.client.http.CloseIdleConnections()
	return err
}

// deaths tells which parts ended by themselves.
func (s *System) deaths() []error {
	var errs []error
	for _, u := range s.fixed() {
		if ok, why := u.Alive(); !ok && strings.Contains(why, "by itself") {
			errs = append(errs, fmt.Errorf("%s: %s", u.Name(), why))
		}
	}
	if s.pool != nil {
		s.pool.mu.Lock()
		errs = append(errs, s.pool.errs...)
		s.pool.mu.Unlock()
	}
	return errs
}

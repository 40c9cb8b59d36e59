package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// System is the fake, the reference sender and the media store, running. Its embedded harness.System is what a Runner
// takes.
type System struct {
	harness.System

	scenario  *scenarios.Scenario // as run: squeezed when time is
	mediaBase string
	every     time.Duration

	fake    *fakewa.Server
	sender  *process // nil: a sender of one's own
	queue   queue.Queue
	servers []*http.Server
	network *virtual.Network
	ctx     context.Context // of the parts
	stop    context.CancelFunc
	running sync.WaitGroup
	grace   time.Duration // how long the parts may take to end; 0: as long as they want
	mu      sync.Mutex
	failed  []error
}

// hosts of the in-memory network.
const (
	hostWhatsApp = "whatsapp.sender"
	hostDrafts   = "drafts.sender"
	hostGraph    = "graph.fake"
	hostMedia    = "media.store"
)

// secrets that fake and sender share; they protect nothing.
const (
	phone       = "106540352242922"
	token       = "EAAaftershock"
	appSecret   = "aftershock-app-secret"
	verifyToken = "aftershock-verify"
)

// Build wires the system that o asks for and starts it. In virtual time it must be called inside the bubble.
func Build(ctx context.Context, o Options) (*System, error) {
	if o.Sender != nil {
		return buildTheirs(o)
	}
	fakeCfg, senderCfg, err := configs(o.Scenario)
	if err != nil {
		return nil, err
	}
	s := &System{every: o.Every}
	if s.every <= 0 {
		s.every = 10 * time.Second
	}
	s.scenario = o.Scenario
	if o.Compress > 1 {
		s.scenario = o.Scenario.Squeeze(o.Compress)
		s.every = time.Duration(float64(s.every) / o.Compress)
		quantity.Squeeze(&fakeCfg, o.Compress)
		quantity.Squeeze(&senderCfg, o.Compress)
	}
	where, err := s.place(o)
	if err != nil {
		return nil, err
	}
	s.mediaBase = where.media
	lanes := instant.Lanes{On: o.Clock == "virtual"}
	s.fake, err = fakewa.NewServer(fakeCfg, fakewa.Wiring{
		Webhook: where.whatsapp + "/webhooks/whatsapp", AppSecret: appSecret, VerifyToken: verifyToken,
		Transport: where.transport, MediaHosts: []string{where.mediaHost}, Seed: o.Scenario.Seed, Lanes: lanes,
		SpillDir: filepath.Join(o.Dir, "ledger"),
	})
	if err != nil {
		return nil, fmt.Errorf("start the fake: %w", err)
	}
	asked := senderCfg.Drafts.Queue()
	asked.Lanes = lanes
	if s.queue, err = openQueue(ctx, o, asked); err != nil {
		return nil, err
	}
	if wrap := o.Plant.Queue; wrap != nil {
		s.queue = wrap(s.queue)
	}
	trail := &trail{}
	s.sender = &process{cfg: senderCfg, queue: s.queue, network: s.network, wiring: sut.Wiring{
		Transport: where.transport, WhatsAppURL: where.whatsapp, DraftsURL: where.drafts, APIBase: where.graph + "/v24.0",
		Token: token, Phone: phone, AppSecret: appSecret, VerifyToken: verifyToken,
		Queue: s.queue, Seed: o.Scenario.Seed, Lanes: lanes, Observe: trail.observe, Step: o.Step,
	}, plant: o.Plant}
	if o.Clock == "virtual" && mortal(o.Scenario) {
		s.sender.disk = &virtual.Disk{}
	}
	s.start(s.fake.Run)
	s.sender.start = s.more
	if err := s.sender.begin(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	where.serve(s)
	s.System = harness.System{
		Name: o.Environment, Queue: o.Queue, URL: where.whatsapp, Transport: where.transport,
		Effective: effective(s.sender.now().Effective(), s.fake.Effective()),
		Faults:    faults{s.fake}, Ledger: ledger{s.fake}, Gauges: &gauges{sender: s.sender, last: time.Now()},
		Settings: settings{s.sender, s.fake}, Replicas: replicas{s.sender}, Books: books{s.sender}, Trail: trail,
	}
	if s.sender.disk != nil {
		s.System.Process = s.sender
	}
	return s, nil
}

// configs reads the scenario's two blocks.
func configs(sc *scenarios.Scenario) (fakewa.Config, sut.Config, error) {
	fakeCfg, err := fakewa.ParseConfig("whatsapp", sc.WhatsApp)
	if err != nil {
		return fakeCfg, sut.Config{}, err
	}
	senderCfg, err := sut.ParseConfig("sender", sc.Sender)
	return fakeCfg, senderCfg, err
}

// place is where the parts reach each other.
type place struct {
	whatsapp, drafts, graph, media, mediaHost string
	transport                                 http.RoundTripper
	serve                                     func(*System) // puts the handlers behind their addresses
}

// place makes the network: in memory for virtual time, loopback otherwise.
func (s *System) place(o Options) (place, error) {
	if o.Clock == "virtual" {
		s.network = virtual.NewNetwork()
		return place{
			whatsapp: "http://" + hostWhatsApp, drafts: "http://" + hostDrafts, graph: "http://" + hostGraph,
			media: "http://" + hostMedia, mediaHost: hostMedia, transport: s.network,
			serve: func(s *System) {
				if s.sender.disk == nil {
					s.network.Handle(hostWhatsApp, s.sender.now().WhatsApp())
					s.network.Handle(hostDrafts, s.sender.now().Drafts())
				}
				s.network.Handle(hostGraph, s.fake)
				s.network.Handle(hostMedia, mediaStore())
			},
		}, nil
	}
	var listeners [4]net.Listener
	var urls [4]string
	for i := range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return place{}, fmt.Errorf("listen on loopback: %w", err)
		}
		listeners[i], urls[i] = l, "http://"+l.Addr().String()
	}
	const graph = 2
	return place{
		whatsapp: urls[0], drafts: urls[1], graph: urls[graph], media: urls[3], mediaHost: listeners[3].Addr().String(),
		transport: &http.Transport{MaxIdleConnsPerHost: 512, IdleConnTimeout: 30 * time.Second},
		serve: func(s *System) {
			listeners[graph] = s.fake.Listener(listeners[graph])
			for i, h := range []http.Handler{s.sender.now().WhatsApp(), s.sender.now().Drafts(), s.fake, mediaStore()} {
				srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
				s.servers = append(s.servers, srv)
				s.running.Go(func() { s.note(srv.Serve(listeners[i])) })
			}
		},
	}, nil
}

// openQueue opens the engine that was asked for. In virtual time JetStream keeps its streams in memory: syncing a disk
// takes no virtual time, so files would add nothing but waiting.
func openQueue(ctx context.Context, o Options, cfg queue.Config) (queue.Queue, error) {
	if o.Queue == "memory" {
		return queue.NewMemory(cfg), nil
	}
	js := queue.JetStream{URL: o.NATS}
	switch {
	case o.NATS != "" && o.Clock == "virtual":
		return nil, errors.New("an outside NATS cluster lives in real time: add --clock wall")
	case o.NATS != "":
		js.Prefix = "aftershock-" + strings.Map(plain, o.Info.ID)
	case o.Clock == "virtual":
		js.Storage = queue.StorageMemory
	default:
		js.Dir = filepath.Join(o.Dir, "jetstream")
	}
	q, err := queue.OpenJetStream(ctx, cfg, js)
	if err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	return q, nil
}

// plain keeps what the names of streams may hold.
func plain(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
		return r
	}
	return '-'
}

// start runs the parts; Close waits for them.
func (s *System) start(parts ...func(context.Context) error) {
	s.ctx, s.stop = context.WithCancel(context.Background())
	for _, run := range parts {
		s.more(run)
	}
}

// more runs one more part.
func (s *System) more(run func(context.Context) error) { s.running.Go(func() { s.note(run(s.ctx)) }) }

// note keeps an error that ended a part before its time.
func (s *System) note(err error) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, http.ErrServerClosed) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, err)
}

// wait returns when every part and every handler has ended, or an error when they take longer than they may.
func (s *System) wait() error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.running.Wait()
		if s.sender != nil {
			s.sender.wait()
		}
		if s.network != nil {
			s.network.Wait()
		}
	}()
	if s.grace <= 0 {
		<-ended
		return nil
	}
	select {
	case <-ended:
		return nil
	case <-time.After(s.grace):
		return fmt.Errorf("the sender goes on %v after its context ended: Run and every handler have to return when theirs does", s.grace)
	}
}

// Close stops everything and waits until nothing of it is left.
func (s *System) Close() error {
	s.stop()
	for _, srv := range s.servers {
		s.note(srv.Close())
	}
	if err := s.wait(); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return errors.Join(append(s.failed, err)...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if s.queue != nil {
		s.note(s.queue.Close(ctx))
	}
	s.note(s.fake.Close())
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.failed...)
}

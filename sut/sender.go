package sut

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/sut/drafts"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/whatsapp"
	"github.com/aftershock-dev/aftershock/sut/wire"
	"go.opentelemetry.io/otel/trace"
)

// Wiring is what a sender is connected to.
type Wiring struct {
	Transport   http.RoundTripper // every outgoing call goes through it; nil is a transport of its own
	WhatsAppURL string            // where Drafts reaches the WhatsApp service
	DraftsURL   string            // where the WhatsApp service reaches Drafts
	APIBase     string            // base URL of the Cloud API, with its version
	Token       string
	Phone       string // phone number id of messages that name none
	AppSecret   string // signs webhooks; "" takes unsigned ones
	VerifyToken string
	Queue       queue.Queue
	Seed        int64
	Lanes       instant.Lanes
	DataDir     string             // where the books are written down, so that they outlive the process; "" is nowhere
	Disk        drafts.Disk        // where they are written down instead of DataDir; nil: there
	Unsynced    bool               // what is written down need not outlive the machine
	Foreign     bool               // other processes share the queue
	Operator    string             // token that the operators' doors ask for; "" asks for none
	Tracer      trace.Tracer       // nil: no traces
	Log         *slog.Logger       // nil: no log
	At          func(drafts.Point) // for tests that end the process at a point of a draft's way; nil is nobody
	Step        func(drafts.Step)  // told of every step of a draft; must not block; nil is nobody
	Observe     func(Attempt)      // told of every attempt that has finished; must not block; nil is nobody
}

// Attempt is one call inside the sender that has finished.
type Attempt = wire.Attempt

// Sender is the two services wired together.
type Sender struct {
	cfg           atomic.Pointer[Config]
	begun         Config     // as it was begun with
	change        sync.Mutex // one change of settings at a time
	caller        *wire.Caller
	journal       *drafts.Journal
	log           *slog.Logger
	operatorToken string
	drafts        *drafts.Service
	whatsapp      *whatsapp.Service
}

// New returns a sender; nothing runs before Run.
func New(cfg Config, w Wiring) (*Sender, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Sender{begun: cfg, caller: wire.NewCaller(w.Transport), operatorToken: w.Operator, log: w.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.cfg.Store(&cfg)
	traces := wire.Traces{Tracer: w.Tracer}
	seed := chance.New(w.Seed)
	prefix := "x" + strconv.FormatUint(seed.For("strangers").Bits()>>32, 36) + "-"
	if !w.Lanes.On { // outside virtual time two starts must not give the same name
		prefix = "x" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-"
	}
	var err error
	switch {
	case w.Disk != nil:
		if s.journal, err = drafts.NewJournal(w.Disk, !w.Unsynced); err != nil {
			return nil, err
		}
	case w.DataDir != "":
		if s.journal, err = drafts.OpenJournal(w.DataDir, !w.Unsynced); err != nil {
			return nil, err
		}
	}
	s.drafts, err = drafts.New(cfg.draftsInForce(), drafts.Wiring{
		Caller: s.caller, WhatsApp: w.WhatsAppURL, Queue: w.Queue, Seed: seed.For("drafts"), Lanes: w.Lanes, Observe: w.Observe,
		Journal: s.journal, Foreign: w.Foreign, Traces: traces, Log: s.log, At: w.At, Step: w.Step,
	})
	if err != nil {
		return nil, err
	}
	s.whatsapp, err = whatsapp.New(cfg.whatsappInForce(), whatsapp.Wiring{
		Caller: s.caller, Drafts: w.DraftsURL, API: w.APIBase, Token: w.Token, Phone: w.Phone, AppSecret: w.AppSecret,
		VerifyToken: w.VerifyToken, Prefix: prefix, Seed: seed.For("whatsapp"), Lanes: w.Lanes, Observe: w.Observe, Traces: traces,
		Classes: func() whatsapp.ClassBook { return classBook{s.cfg.Load()} },
		Signals: func() fleet.Signals {
			waiting, oldest := s.drafts.Wanting()
			return fleet.Signals{Backlog: waiting, Oldest: oldest}
		},
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// classBook tells the front door about the classes, which are settings of Drafts.
type classBook struct{ cfg *Config }

func (b classBook) Known(class string) (priority int, validFor int64, ok bool) {
	r, ok := b.cfg.Drafts.Classes.Named(class)
	return r.Priority, int64(r.ValidFor), ok
}

// draftsInForce is the Drafts service's configuration, without work when nothing is simulated.
func (c *Config) draftsInForce() drafts.Config {
	out := c.Drafts
	if !c.Simulate {
		out.Work = drafts.Work{}
	}
	return out
}

// whatsappInForce is the WhatsApp service's configuration, without work and scaling when nothing is simulated.
func (c *Config) whatsappInForce() whatsapp.Config {
	out := c.WhatsApp
	if !c.Simulate {
		out.Work = whatsapp.Work{}
		out.Scaling.Signal = "none"
		out.Replicas.Min, out.Replicas.Max, out.Replicas.Queue = 1, 1, 0
	}
	return out
}

// Run works until ctx ends: it then takes no more drafts, lets those on their way finish, and returns when nothing is
// left of it.
func (s *Sender) Run(ctx context.Context) error {
	hands, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	var front sync.WaitGroup
	var frontErr error
	front.Go(func() { frontErr = s.whatsapp.Run(hands) })
	err := s.drafts.Run(ctx) // it needs the WhatsApp service until its last draft has landed
	release()
	front.Wait()
	s.caller.Close()
	return errors.Join(err, frontErr, s.journal.Close())
}

// WhatsApp is the WhatsApp service's handler: the front door, the sender and the webhooks.
func (s *Sender) WhatsApp() http.Handler { return s.doors(s.whatsapp) }

// Drafts is the Drafts service's handler.
func (s *Sender) Drafts() http.Handler { return s.doors(s.drafts) }

// State tells how a message stands, by its reference (m000001): the best of its drafts. final says that the sender has
// nothing left to do for it.
func (s *Sender) State(message string) (state, reason string, final, known bool) {
	return s.drafts.State(message)
}

// Effective returns every setting in force, by its dotted key.
func (s *Sender) Effective() map[string]string { return s.cfg.Load().Effective() }

// Apply changes settings: what the YAML names is laid over what is in force, the whole is validated, and only then does
// it change.
func (s *Sender) Apply(yaml []byte) error {
	s.change.Lock()
	defer s.change.Unlock()
	was := s.cfg.Load()
	c, err := s.with(yaml)
	if err != nil {
		return err
	}
	s.cfg.Store(&c)
	s.drafts.Apply(c.draftsInForce())
	s.whatsapp.Apply(c.whatsappInForce())
	s.log.Info("settings changed", "changes", changes(was.Effective(), c.Effective()))
	return nil
}

// Check tells what Apply would say, and changes nothing.
func (s *Sender) Check(yaml []byte) error {
	_, err := s.with(yaml)
	return err
}

// with lays YAML over what is in force and validates the whole. What is fixed at the start has to stay.
func (s *Sender) with(yaml []byte) (Config, error) {
	tree, err := strict.Parse("settings", yaml)
	if err != nil {
		return Config{}, err
	}
	next, err := overlay(*s.cfg.Load(), tree)
	if err != nil {
		return Config{}, err
	}
	return next, fixed(&s.begun, &next)
}

// fixed refuses changes that a running sender cannot follow: was is what it was begun with.
func fixed(was, next *Config) error {
	var errs []error
	stays := func(same bool, key string) {
		if !same {
			errs = append(errs, fmt.Errorf("settings: %s cannot change while the sender runs", key))
		}
	}
	stays(was.Preset == next.Preset, "preset")
	stays(was.Simulate == next.Simulate, "simulate")
	stays(was.Drafts.Idempotency.Window == next.Drafts.Idempotency.Window, "drafts.idempotency.window")
	stays(was.Drafts.Dispatch.Lease == next.Drafts.Dispatch.Lease, "drafts.dispatch.lease")
	stays(was.Drafts.Order.Shards == next.Drafts.Order.Shards, "drafts.order.shards")
	stays((was.Drafts.Order.FreshAfter > 0) == (next.Drafts.Order.FreshAfter > 0), "drafts.order.fresh_after from or to 0")
	stays(slices.Equal(was.Drafts.Classes.Lanes(), next.Drafts.Classes.Lanes()), "drafts.classes: lanes and weights")
	if room := was.Drafts.Backlog.Max; room > 0 && (next.Drafts.Backlog.Max == 0 || next.Drafts.Backlog.Max > room) {
		errs = append(errs, fmt.Errorf("settings: drafts.backlog.max: the queue was opened for %d drafts; more takes a restart", room))
	}
	return errors.Join(errs...)
}

// changes lists what differs, as key: was → is.
func changes(was, is map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(is)) {
		if was[k] != is[k] {
			out = append(out, k+": "+was[k]+" → "+is[k])
		}
	}
	return out
}

// ErrTarget is returned by Act for a target or a verb that does not exist.
var ErrTarget = errors.New("no such target")

// target finds the fleet and the slot that a name such as whatsapp/1 means; slot 0 is all of them.
func (s *Sender) target(name string) (*fleet.Fleet, int, error) {
	service, number, one := cutTarget(name)
	var f *fleet.Fleet
	switch service {
	case "whatsapp":
		f = s.whatsapp.Fleet()
	case "drafts":
		f = s.drafts.Fleet()
	default:
		return nil, 0, fmt.Errorf("%w: %q is neither whatsapp nor drafts", ErrTarget, name)
	}
	if one && number < 1 {
		return nil, 0, fmt.Errorf("%w: %q: write whatsapp/1", ErrTarget, name)
	}
	return f, number, nil
}

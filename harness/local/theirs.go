package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/remote"
	"github.com/aftershock-dev/aftershock/harness/virtual"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// A sender of one's own, in Go, in place of the reference sender: in virtual time, in this process.

// Surroundings are what a sender finds around it in virtual time: the fake Cloud API, and a network in memory. Nothing it
// does may open a socket, resolve a name or read a file that never answers: time would stand still.
type Surroundings struct {
	API         string            // base URL of the Cloud API, with its version
	Phone       string            // id of the business number that it sends from
	Token       string            // access token
	AppSecret   string            // signs webhooks
	VerifyToken string            // of the webhook's verification
	Transport   http.RoundTripper // carries every request of the sender
	Seed        int64             // of the run, for choices of the sender's own

	// Listen and DialContext are connections in memory, for libraries that dial for themselves.
	Listen      func(address string) (net.Listener, error)
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Sender is a sender of one's own.
type Sender struct {
	Handler http.Handler                    // its front door, and its webhook
	Run     func(ctx context.Context) error // its work in the background, until ctx ends; nil for none
	Webhook string                          // path at which Handler takes statuses; default the target's webhook; "" and none there: nobody is told
}

// hostYours is where a sender of one's own is reached; names below .test belong to nobody.
const hostYours = "sender.test"

// buildTheirs wires a sender of one's own to the fake and starts both, inside the bubble.
func buildTheirs(o Options) (*System, error) {
	if o.Clock != "virtual" {
		return nil, errors.New("a sender in this process is replayed in virtual time: leave the clock out, or reach it by a target's URL")
	}
	fakeCfg, err := fakewa.ParseConfig("whatsapp", o.Scenario.WhatsApp)
	if err != nil {
		return nil, err
	}
	s := &System{scenario: o.Scenario, mediaBase: "http://" + hostMedia, every: o.Every, network: virtual.NewNetwork()}
	if s.every <= 0 {
		s.every = 10 * time.Second
	}
	pipes := &virtual.Pipes{}
	theirs, err := made(o.Sender, Surroundings{
		API: "http://" + hostGraph + "/v24.0", Phone: phone, Token: token, AppSecret: appSecret, VerifyToken: verifyToken, Transport: s.network,
		Seed: o.Scenario.Seed, Listen: pipes.Listen, DialContext: pipes.DialContext,
	})
	if err != nil {
		return nil, err
	}
	if f, ok := theirs.Handler.(http.HandlerFunc); theirs.Handler == nil || ok && f == nil {
		return nil, errors.New("the sender has no Handler: nobody could hand it a message")
	}
	webhook, err := webhookOf(theirs, o.Scenario.Target)
	if err != nil {
		return nil, err
	}
	s.fake, err = fakewa.NewServer(fakeCfg, fakewa.Wiring{
		Webhook: webhook, AppSecret: appSecret, VerifyToken: verifyToken, Transport: s.network, MediaHosts: []string{hostMedia},
		Seed: o.Scenario.Seed, Lanes: instant.Lanes{On: true}, SpillDir: filepath.Join(o.Dir, "ledger"),
	})
	if err != nil {
		return nil, fmt.Errorf("start the fake: %w", err)
	}
	s.network.Handle(hostYours, theirs.Handler)
	s.network.Handle(hostGraph, s.fake)
	s.network.Handle(hostMedia, mediaStore())
	s.System = harness.System{
		Name: "embedded", Queue: o.Queue, URL: "http://" + hostYours, Transport: s.network, FakeURL: "http://" + hostGraph,
		Effective: effective(nil, s.fake.Effective()),
		Faults:    faults{s.fake}, Ledger: ledger{s.fake}, Settings: fakeSettings{s.fake},
		Hint: "\nhint: a sender in this process has no replicas: leave the step out, or have the run start the sender (target.command)",
	}
	figures, err := remote.NewFigures(o.Scenario, s.URL, s.FakeURL, s.network)
	if err != nil {
		return nil, err
	}
	s.System.Told = s.panics
	if figures != nil {
		s.Gauges = figures
		s.System.Told = func() []string { return append(s.panics(), figures.Told()...) }
	}
	s.grace = grace
	parts := []func(context.Context) error{s.fake.Run}
	if theirs.Run != nil {
		parts = append(parts, guarded("the sender's Run", theirs.Run))
	}
	s.start(parts...)
	return s, nil
}

// grace is how long, in virtual time, a sender of one's own may take to end.
const grace = 5 * time.Minute

// panics tells the reader of handlers that panicked.
func (s *System) panics() []string {
	n, first := s.network.Panics()
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the sender's handler panicked %d times; the first was %s", n, first)}
}

// made calls what makes the sender, on a goroutine of its own: what panics there, or ends it as t.Fatal does, is an error.
func made(sender func(Surroundings) (Sender, error), around Surroundings) (theirs Sender, err error) {
	err = errors.New("Options.Sender ended its goroutine, as t.Fatal does: return an error instead")
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = guarded("Options.Sender", func(context.Context) (err error) {
			theirs, err = sender(around)
			return err
		})(context.Background())
	}()
	<-done
	return theirs, err
}

// guarded makes an error of a panic, with the stack that leads to it.
func guarded(what string, run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("%s panicked: %v\n%s", what, p, debug.Stack())
			} else if err != nil {
				err = fmt.Errorf("%s: %w", what, err)
			}
		}()
		return run(ctx)
	}
}

// webhookOf is where statuses are posted: the path that the sender names, or that of the target's webhook, whose host does
// not matter here any more than that of its url; "" is nowhere.
func webhookOf(theirs Sender, target *scenarios.Target) (string, error) {
	path := theirs.Webhook
	if path == "" && target != nil && target.Webhook != "" {
		u, err := url.Parse(target.Webhook)
		if err != nil {
			return "", fmt.Errorf("target.webhook: %w", err)
		}
		path = u.RequestURI()
	}
	switch {
	case path == "":
		return "", nil
	case !strings.HasPrefix(path, "/"):
		return "", fmt.Errorf("the sender's Webhook is %q: say the path at which its Handler takes statuses, such as /webhook", path)
	}
	return "http://" + hostYours + path, nil
}

// fakeSettings changes whatsapp.… keys; those of the reference sender do not reach a sender of one's own.
type fakeSettings struct{ fake *fakewa.Server }

func (s fakeSettings) Set(_ context.Context, values map[string]any) error {
	before := s.fake.Effective()
	tree, err := strict.Nest(values)
	if err != nil {
		return err
	}
	for _, f := range tree.Fields {
		switch f.Key {
		case "whatsapp":
			err = s.fake.Set(f.Value.YAML())
		case "sender":
			err = fmt.Errorf("%w: the sender is your own, and sender.… are settings of the reference sender", harness.ErrIdle)
		default:
			err = fmt.Errorf("%s: only whatsapp.… can be changed while a run of a sender of your own goes on", f.Key)
		}
		if err != nil {
			return fmt.Errorf("set %s: %w", f.Key, err)
		}
	}
	if scenarios.Unchanged(before, s.fake.Effective()) {
		return harness.ErrInForce
	}
	return nil
}

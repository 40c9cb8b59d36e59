package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/aftershock-dev/aftershock/internal/admit"
	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// Run serves until ctx ends, and then ends gracefully: no new requests, drafts on their way finish, the rest goes back
// to the queue, statuses are handed on.
func Run(ctx context.Context, o Options) (err error) {
	o.withDefaults()
	if err := o.Validate(); err != nil {
		return err
	}
	q, err := openQueue(ctx, &o)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Finish)
		defer cancel()
		err = errors.Join(err, q.Close(closing))
	}()
	transport := &inside{hosts: map[string]http.Handler{}, outside: http.DefaultTransport.(*http.Transport).Clone()}
	transport.outside.MaxIdleConnsPerHost = 1024
	transport.outside.MaxIdleConns = 4096
	sender, err := newSender(&o, q, transport)
	if err != nil {
		return err
	}
	doors, err := open(&o, sender)
	if err != nil {
		return err
	}
	if o.Role == "all" {
		transport.hosts[insideWhatsApp], transport.hosts[insideDrafts] = sender.WhatsApp(), sender.Drafts()
	}
	o.Log.Info("serving", "role", o.Role, "whatsapp", doors.whatsapp, "drafts", doors.drafts, "queue", o.Queue, "preset", o.Config.Preset)
	if o.Ready != nil {
		o.Ready(doors.whatsapp, doors.drafts)
	}
	err = doors.serve(ctx, &o, sender)
	transport.handlers.Wait()
	return err
}

func openQueue(ctx context.Context, o *Options) (queue.Queue, error) {
	cfg := o.Config.Drafts.Queue()
	if o.Role == "whatsapp" || o.Queue == "memory" { // the WhatsApp service has no queue of its own
		return queue.NewMemory(cfg), nil
	}
	js := queue.JetStream{URL: o.NATS, Prefix: o.Prefix, Unsynced: o.Unsynced}
	if o.NATS == "" && o.Data != "" {
		js.Dir = filepath.Join(o.Data, "jetstream")
	}
	return queue.OpenJetStream(ctx, cfg, js)
}

func newSender(o *Options, q queue.Queue, t http.RoundTripper) (*sut.Sender, error) {
	w := sut.Wiring{
		Transport: t, WhatsAppURL: o.WhatsAppURL, DraftsURL: o.DraftsURL, APIBase: o.API, Token: o.Token, Phone: o.Phone,
		AppSecret: o.AppSecret, VerifyToken: o.VerifyToken, Queue: q, Seed: o.Seed, Operator: o.Operator, Log: o.Log,
		Tracer: o.Tracer, At: o.At, Foreign: o.NATS != "", Unsynced: o.Unsynced,
	}
	if o.Role == "all" {
		w.WhatsAppURL, w.DraftsURL = "http://"+insideWhatsApp, "http://"+insideDrafts
	}
	if o.Data != "" && o.Role != "whatsapp" {
		w.DataDir = filepath.Join(o.Data, "books")
	}
	return sut.New(o.Config, w)
}

// What the doors hold at once, so that nobody who only begins requests can exhaust the memory.
const (
	mostConnections = 10_000   // others wait to be accepted
	mostBodies      = 32 << 20 // bytes of bodies being read
	mostBody        = 8 << 20  // of one of them: statuses between the services are the longest
)

// doors are the sockets of a process.
type doors struct {
	listeners        []net.Listener
	servers          []*http.Server
	whatsapp, drafts net.Addr
}

// open listens before anything is served, so that an address that is taken is an error at once.
func open(o *Options, s *sut.Sender) (*doors, error) {
	d := &doors{}
	add := func(address string, h http.Handler) (net.Addr, error) {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		d.listeners = append(d.listeners, netutil.LimitListener(l, mostConnections))
		d.servers = append(d.servers, &http.Server{
			Handler: admitted(h, l.Addr(), o.Hosts), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
			MaxHeaderBytes: 64 << 10,
		})
		return l.Addr(), nil
	}
	var err error
	if o.Role != "drafts" {
		if d.whatsapp, err = add(o.Listen, s.WhatsApp()); err != nil {
			return nil, err
		}
	}
	if o.Role != "whatsapp" {
		if d.drafts, err = add(o.ListenDrafts, s.Drafts()); err != nil {
			for _, l := range d.listeners {
				_ = l.Close() // the error that counts is the other one
			}
			return nil, err
		}
	}
	return d, nil
}

// admitted keeps web pages out. Webhooks are signed, so they may come by any name.
func admitted(h http.Handler, at net.Addr, hosts []string) http.Handler {
	address, _, _ := net.SplitHostPort(at.String()) // an address that was listened on has both parts
	rule := admit.Rule{Local: admit.Loopback(address), Hosts: hosts, Exempt: []string{"/webhooks/whatsapp"}}
	bodies := admit.Bytes{Most: mostBodies, Each: mostBody}
	h = bodies.Handler(h, func(w http.ResponseWriter) {
		(&wire.Refusal{
			Status: http.StatusServiceUnavailable, Code: "too_many_bodies", Says: admit.ErrFull.Error(), Hint: "try again in a second", After: time.Second,
		}).Write(w)
	})
	return rule.Handler(h, func(w http.ResponseWriter, why string) {
		(&wire.Refusal{Status: http.StatusForbidden, Code: "not_admitted", Says: why, Hint: "a name that may stand for this sender is given with --host NAME"}).Write(w)
	})
}

// serve runs the sender and its doors until ctx ends. Doors close to newcomers first; the sender then finishes what it
// holds, for which the doors still answer.
func (d *doors) serve(ctx context.Context, o *Options, s *sut.Sender) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	broken := make(chan error, len(d.servers)+1)
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(work); err != nil {
			broken <- err
		}
	})
	for i, srv := range d.servers {
		running.Go(func() {
			if err := srv.Serve(d.listeners[i]); err != nil && !errors.Is(err, http.ErrServerClosed) {
				broken <- err
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
		o.Log.Info("ending: drafts on their way finish first", "within", o.Finish)
	case err = <-broken:
		o.Log.Error("ending", "error", err)
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Finish)
	defer cancel()
	errs := []error{err}
	var shut sync.WaitGroup
	var mu sync.Mutex
	for _, srv := range d.servers {
		shut.Go(func() {
			e := srv.Shutdown(closing)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, e)
		})
	}
	stop() // statuses that wait for the next flush are flushed now, so that their webhooks are answered
	shut.Wait()
	running.Wait()
	close(broken)
	for e := range broken {
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

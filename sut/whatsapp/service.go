// Package whatsapp is the WhatsApp service: the front door that takes messages in, the sender that calls the Cloud
// API, and the ear for its webhooks. Its replicas share their cores among all three. Start with Service.
package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/fleet"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// Wiring is what the WhatsApp service is connected to.
type Wiring struct {
	Caller      *wire.Caller
	Drafts      string // base URL of the Drafts service
	API         string // base URL of the Cloud API, with its version
	Token       string
	Phone       string // phone number id of messages that name none
	AppSecret   string // signs webhooks; "" takes unsigned ones
	VerifyToken string
	Prefix      string // of the references given to messages of callers without a request id
	Seed        chance.Source
	Lanes       instant.Lanes
	Classes     func() ClassBook
	Signals     func() fleet.Signals
	Observe     func(wire.Attempt) // nil: nobody
	Traces      wire.Traces
}

// ClassBook tells the front door about classes.
type ClassBook interface {
	// Known reports whether there is such a class, how important it is (0 most), and how long its messages are valid.
	Known(class string) (priority int, validFor int64, ok bool)
}

// Service is the WhatsApp service.
type Service struct {
	cfg       atomic.Pointer[Config]
	w         Wiring
	createURL *url.URL
	statusURL *url.URL
	api       *cloud
	fleet     *fleet.Fleet
	ear       *ear
	media     *library
	count     Counters
	strangers atomic.Uint64
	forwards  atomic.Uint64
	draws     draws
	handler   http.Handler
}

// draws are the sources of chance, one per purpose.
type draws struct{ accept, answer, send, backoff chance.Source }

// Counters are cumulative since the start.
type Counters struct {
	Front          atomic.Int64 // requests at the front door
	Front503       atomic.Int64
	Answered       atomic.Int64 // 2xx
	Refused        atomic.Int64 // 4xx
	Creates        atomic.Int64
	CreateFirst    atomic.Int64
	CreateTimeouts atomic.Int64
	CreateErrors   atomic.Int64 // other failures, 503 included
	Sends          atomic.Int64 // requests to /v1/send
	API            atomic.Int64
	APIFirst       atomic.Int64
	Accepted       atomic.Int64
	APITimeouts    atomic.Int64
	APIUnknown     atomic.Int64 // outcomes that are not known
	APIErrors      atomic.Int64 // answers that refuse
	MediaErrors    atomic.Int64 // refusals because of media
	Uploads        atomic.Int64
	Statuses       atomic.Int64
	BadSignatures  atomic.Int64
	codes          sync.Map // Cloud API error code → *atomic.Int64
}

// Codes returns the Cloud API's error codes seen, with their counts.
func (c *Counters) Codes() map[int]int64 {
	out := map[int]int64{}
	c.codes.Range(func(k, v any) bool {
		out[k.(int)] = v.(*atomic.Int64).Load()
		return true
	})
	return out
}

func (c *Counters) code(code int) {
	n, ok := c.codes.Load(code)
	if !ok {
		n, _ = c.codes.LoadOrStore(code, new(atomic.Int64))
	}
	n.(*atomic.Int64).Add(1)
}

// New returns a service; cfg must be valid.
func New(cfg Config, w Wiring) (*Service, error) {
	create, err1 := url.Parse(w.Drafts + "/v1/drafts")
	status, err2 := url.Parse(w.Drafts + "/v1/status")
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("whatsapp: address of the Drafts service: %w", err)
	}
	s := &Service{
		w: w, createURL: create, statusURL: status,
		draws: draws{w.Seed.For("accept"), w.Seed.For("answer"), w.Seed.For("send"), w.Seed.For("create backoff")},
	}
	s.cfg.Store(&cfg)
	api, err := newCloud(s)
	if err != nil {
		return nil, err
	}
	s.api, s.media, s.ear = api, newLibrary(s), newEar(s)
	s.fleet = fleet.New(fleet.Config{
		Name: "whatsapp", Lanes: w.Lanes, Seed: w.Seed.For("whatsapp"), Ticker: w.Lanes.Of(instant.System, instant.Scaler),
		Settings: func() fleet.Settings { return s.cfg.Load().Settings() }, Signals: w.Signals,
	})
	s.handler = s.routes()
	return s, nil
}

// Apply puts new settings in force; they must be valid.
func (s *Service) Apply(cfg Config) {
	s.cfg.Store(&cfg)
	s.fleet.Refresh()
}

// Fleet is the copies of the service.
func (s *Service) Fleet() *fleet.Fleet { return s.fleet }

// Count is the service's counters.
func (s *Service) Count() *Counters { return &s.count }

// ServeHTTP implements http.Handler.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Run scales the fleet and hands statuses on until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var own sync.WaitGroup
	own.Go(func() { _ = s.fleet.Run(ctx) })
	own.Go(func() { s.ear.run(ctx) })
	own.Wait()
	return nil
}

// routes puts the hot doors first.
func (s *Service) routes() http.Handler {
	accept := s.fleet.Handler(s.accept, s.busy)
	send := s.fleet.Handler(s.send, s.busy)
	hook := s.fleet.Handler(s.webhook, s.busy)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/v1/messages":
			s.count.Front.Add(1)
			accept.ServeHTTP(w, r)
		case r.Method == http.MethodPost && r.URL.Path == "/v1/send":
			s.count.Sends.Add(1)
			send.ServeHTTP(w, r)
		case r.Method == http.MethodPost && r.URL.Path == "/webhooks/whatsapp":
			hook.ServeHTTP(w, r)
		case r.Method == http.MethodGet && r.URL.Path == "/webhooks/whatsapp":
			s.verify(w, r)
		case r.Method == http.MethodPost && r.URL.Path == "/v1/messages/batch":
			s.batch(w, r)
		default:
			s.forward(w, r)
		}
	})
}

// busy answers a request that no copy takes.
func (s *Service) busy(w http.ResponseWriter, err error) {
	code := "overloaded"
	if errors.Is(err, fleet.ErrNobody) {
		code = "no_replica"
	}
	s.count.Front503.Add(1)
	(&wire.Refusal{
		Status: http.StatusServiceUnavailable, Code: code, Says: err.Error(), Hint: "try again a little later",
		After: s.cfg.Load().Admission.RetryAfter,
	}).Write(w)
}

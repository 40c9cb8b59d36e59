package fakewa

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/aftershock-dev/aftershock/internal/admit"
)

// Control returns the doors that drive the fake while it runs: faults and settings in, the ledger and metrics out.
// Whoever opens them puts Local around them, or Guard beyond this machine.
func (s *Server) Control() http.Handler {
	r := mux.NewRouter()
	r.HandleFunc("/", s.getIndex).Methods("GET")
	r.HandleFunc("/faults", s.getFaults).Methods("GET")
	r.HandleFunc("/faults", s.putFaults).Methods("PUT")
	r.HandleFunc("/faults", s.deleteFaults).Methods("DELETE")
	r.HandleFunc("/faults/{id}", s.getFault).Methods("GET")
	r.HandleFunc("/faults/{id}", s.putFault).Methods("PUT")
	r.HandleFunc("/faults/{id}", s.deleteFault).Methods("DELETE")
	r.HandleFunc("/settings", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Effective()) }).Methods("GET")
	r.HandleFunc("/settings", s.putSettings).Methods("PUT", "PATCH")
	r.HandleFunc("/ledger", s.getLedger).Methods("GET")
	r.HandleFunc("/ledger/summary", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Summary()) }).Methods("GET")
	r.HandleFunc("/inbound", s.postInbound).Methods("POST")
	r.HandleFunc("/webhook/verify", s.postVerify).Methods("POST")
	r.HandleFunc("/reset", func(w http.ResponseWriter, _ *http.Request) { s.Reset(); reply(w, done{}) }).Methods("POST")
	r.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]string{"status": "ok"}) }).Methods("GET")
	r.HandleFunc("/openapi.json", s.getOpenAPI).Methods("GET")
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{s})
	r.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{})).Methods("GET")
	r.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		complain(w, http.StatusNotFound, fmt.Errorf("%s: no such door; GET / lists them", clip(r.URL.Path, 128)))
	})
	r.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		complain(w, http.StatusMethodNotAllowed, fmt.Errorf("%s is not what %s takes; GET / lists the doors", clip(r.Method, 16), clip(r.URL.Path, 128)))
	})
	return r
}

// Local lets only requests through that name this machine and come from no other site's web page: for control doors on
// loopback that ask for no token.
func Local(h http.Handler) http.Handler {
	return admit.Rule{Local: true}.Handler(h, func(w http.ResponseWriter, why string) {
		complain(w, http.StatusForbidden, errors.New(why))
	})
}

// Guard lets only those through who bring the token as a bearer; /healthz is open to all.
func Guard(token string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if r.URL.Path != "/healthz" && (!ok || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="fakewa control"`)
			complain(w, http.StatusUnauthorized, errors.New("the control doors need their token: -H 'Authorization: Bearer …'"))
			return
		}
		h.ServeHTTP(w, r)
	})
}

type done struct{}

// MarshalJSON says that it worked.
func (done) MarshalJSON() ([]byte, error) { return []byte(`{"ok":true}`), nil }

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // a reader that has gone needs no answer
}

// complaint is an error as the control doors tell it.
type complaint struct {
	Error string `json:"error"`
}

func complain(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(complaint{err.Error()})
}

// document reads the body of a door.
func document(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooMuch, ok := errors.AsType[*http.MaxBytesError](err); ok {
		complain(w, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is above %d bytes", tooMuch.Limit))
		return nil, false
	}
	if err != nil {
		complain(w, http.StatusBadRequest, fmt.Errorf("read the body: %w", err))
		return nil, false
	}
	return b, true
}

func (s *Server) putSettings(w http.ResponseWriter, r *http.Request) {
	b, ok := document(w, r)
	if !ok {
		return
	}
	if err := s.Set(b); err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	reply(w, s.Effective())
}

func (s *Server) postInbound(w http.ResponseWriter, r *http.Request) {
	b, ok := document(w, r)
	if !ok {
		return
	}
	var in Inbound
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		complain(w, http.StatusBadRequest, fmt.Errorf("inbound: %w", err))
		return
	}
	id, err := s.Receive(r.Context(), in)
	if err != nil {
		complain(w, http.StatusBadRequest, err)
		return
	}
	reply(w, map[string]string{"id": id})
}

func (s *Server) postVerify(w http.ResponseWriter, r *http.Request) {
	if s.wiring.Webhook == "" {
		complain(w, http.StatusConflict, errors.New("no callback is configured: start with --webhook URL"))
		return
	}
	if err := s.VerifyWebhook(r.Context()); err != nil {
		complain(w, http.StatusBadGateway, err)
		return
	}
	reply(w, done{})
}

// Reset forgets messages, media, uses of limits, the ledger, faults, callback overrides and what was to be posted.
// Settings stay.
func (s *Server) Reset() {
	s.mu.Lock()
	s.core.reset(time.Now())
	s.mu.Unlock()
	s.hooks.reset()
	s.ledger.reset()
}

func (s *Server) getIndex(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, `fakewa's control doors

GET    /faults            faults in force           PUT /faults   {id: fault, …} replaces all of them
PUT    /faults/{id}       a fault in YAML or JSON, as in a scenario: {kind: latency, add: 2s, share: 10%}
GET    /faults/{id}       DELETE /faults/{id}       DELETE /faults
GET    /settings          PUT /settings             the keys to change, nested or dotted
GET    /ledger            ?after=SEQ &limit=N &follow=true &message=M &to=T &status=S &copies=N: one JSON object a line
GET    /ledger/summary
POST   /inbound           {"from":"16505551234","text":"hello"}: a user writes
POST   /webhook/verify    asks the callback for its challenge
POST   /reset             forgets everything but the settings
GET    /metrics           GET /healthz              GET /openapi.json

Kinds of faults:
`)
	for _, k := range sortedKinds() {
		fmt.Fprintf(w, "  %-20s %s\n", k, faultKinds[k].says)
	}
}

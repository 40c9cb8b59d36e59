package dash

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/admit"
	"github.com/aftershock-dev/aftershock/reports/record"
)

const (
	heartbeat  = 15 * time.Second // a comment on a silent stream, so that both ends notice a dead connection
	writeLimit = 10 * time.Second // a viewer that takes none of a line for so long is cut off; it may come back and resume
	maxViewers = 64
	maxOrder   = 16 << 10 // bytes of one order to the control
)

// Server is what viewers outside this process may see and do.
type Server struct {
	Hub     *Hub
	Control Control // nil: nobody may steer the run
	Token   string  // over TCP, needed for control, and for everything when it is set; a unix socket needs none

	patience time.Duration // instead of writeLimit, in tests
}

// Handler serves a run to viewers:
//
//	GET  /events    the stream as server-sent events; Last-Event-ID resumes it
//	GET  /snapshot  the run's info, status and last reading as JSON
//	POST /control   {"do": "pause", "on": true}, speed, mark, apply, abort, report
//	GET  /metrics   the last reading for Prometheus
func Handler(s Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /snapshot", s.snapshot)
	mux.HandleFunc("POST /control", s.control)
	mux.Handle("GET /metrics", MetricsHandler(s.Hub.Latest))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status, why := s.admit(r); status != http.StatusOK {
			if status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", "Bearer")
			}
			http.Error(w, why, status)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// viaSocket marks requests that came over a unix socket, whose permissions already said who may.
type viaSocket struct{}

// admit decides whether a request may be answered. Without a token only names of this machine are answered, so that
// a web page cannot read a run through a name it points at 127.0.0.1.
func (s Server) admit(r *http.Request) (status int, why string) {
	if r.Context().Value(viaSocket{}) != nil {
		return http.StatusOK, ""
	}
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if s.Token != "" {
		if subtle.ConstantTimeCompare([]byte(given), []byte(s.Token)) != 1 {
			return http.StatusUnauthorized, "a token is needed: Authorization: Bearer TOKEN"
		}
		return http.StatusOK, ""
	}
	if why := (admit.Rule{Local: true}).Why(r); why != "" {
		return http.StatusForbidden, "without a token only this machine is answered: " + why
	}
	if r.Method != http.MethodGet {
		return http.StatusForbidden, "this run was started without a token: it can be steered from its own machine alone"
	}
	return http.StatusOK, ""
}

// events streams the run. Writing is the only thing that may wait here: the run never does.
func (s Server) events(w http.ResponseWriter, r *http.Request) {
	if s.Hub.Status().Viewers >= maxViewers {
		http.Error(w, "too many viewers", http.StatusServiceUnavailable)
		return
	}
	after := r.Header.Get("Last-Event-ID")
	if _, err := record.ParseCursor(after); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := &eventWriter{w: w, rc: http.NewResponseController(w), limit: writeLimit}
	if s.patience > 0 {
		out.limit = s.patience
	}
	if out.write(": aftershock\n\n") != nil {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	var beat sync.WaitGroup
	beat.Go(func() {
		t := time.NewTicker(heartbeat)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				if out.write(": beat\n\n") != nil {
					cancel()
				}
			}
		}
	})
	defer beat.Wait()
	defer cancel()
	for it, err := range s.Hub.Items(ctx, after) {
		if err != nil {
			b, _ := json.Marshal(err.Error())
			_ = out.write("event: failed\ndata: " + string(b) + "\n\n")
			return
		}
		b, err := json.Marshal(it)
		if err != nil || out.write("id: "+it.Next+"\ndata: "+string(b)+"\n\n") != nil {
			return
		}
	}
	if ctx.Err() == nil {
		_ = out.write("event: end\ndata: {}\n\n")
	}
}

// eventWriter writes whole events, each within the limit.
type eventWriter struct {
	mu    sync.Mutex
	w     http.ResponseWriter
	rc    *http.ResponseController
	limit time.Duration
}

func (e *eventWriter) write(s string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.rc.SetWriteDeadline(time.Now().Add(e.limit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write([]byte(s)); err != nil {
		return err
	}
	return e.rc.Flush()
}

// Overview is what /snapshot answers.
type Overview struct {
	Info   record.Info        `json:"info"`
	Status Status             `json:"status"`
	Latest map[string]float64 `json:"latest"`
}

func (s Server) snapshot(w http.ResponseWriter, _ *http.Request) {
	info, err := record.LoadInfo(s.Hub.dir)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, Overview{info, s.Hub.Status(), s.Hub.Latest()})
}

// Order is what /control is asked: what to do, and what that needs.
type Order struct {
	Do   string  `json:"do"` // pause, speed, mark, apply, abort, report
	On   bool    `json:"on,omitempty"`
	X    float64 `json:"x,omitempty"`
	Note string  `json:"note,omitempty"`
	Step string  `json:"step,omitempty"`
}

func (s Server) control(w http.ResponseWriter, r *http.Request) {
	if s.Control == nil {
		http.Error(w, "this run cannot be steered", http.StatusNotImplemented)
		return
	}
	var o Order
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		http.Error(w, "not an order: "+err.Error(), http.StatusBadRequest)
		return
	}
	path, err := o.give(s.Control)
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	answer(w, map[string]string{"did": o.Do, "path": path})
}

// give does the order.
func (o Order) give(c Control) (path string, err error) {
	switch o.Do {
	case "pause":
		return "", c.Pause(o.On)
	case "speed":
		if !(o.X >= 0) {
			return "", fmt.Errorf("a speed is 0 or more, got %v", o.X)
		}
		return "", c.Speed(o.X)
	case "mark":
		return "", c.Mark(o.Note)
	case "apply":
		return "", c.Apply(o.Step)
	case "abort":
		return "", c.Abort()
	case "report":
		if r, ok := c.(Reporter); ok {
			return r.Report()
		}
		return "", errNoReport
	}
	return "", fmt.Errorf("unknown order %q: use pause, speed, mark, apply, abort or report", o.Do)
}

func answer(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n')) // the viewer is gone when this fails
}

// Serve serves viewers on the listeners until ctx is done, and closes them. Streams that are at the run's end are
// given a second to say so.
func Serve(ctx context.Context, h http.Handler, listeners ...net.Listener) error {
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if c.LocalAddr().Network() == "unix" {
				return context.WithValue(ctx, viaSocket{}, true)
			}
			return ctx
		},
	}
	failed := make(chan error, len(listeners))
	var serving sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve viewers on %s: %w", l.Addr(), err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	grace, cancel := context.WithTimeout(base, time.Second)
	defer cancel()
	if srv.Shutdown(grace) != nil { // some streams go on: cut them
		cut()
		err = errors.Join(err, srv.Close())
	}
	serving.Wait()
	return err
}

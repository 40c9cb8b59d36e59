package part

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/sut/queue/natsnode"
)

// Run is the whole of a part's program: it works until ctx ends, finishes what it has begun, and leaves nothing behind.
func Run(ctx context.Context, s Spec) error {
	var err error
	switch s.Kind {
	case Fake:
		err = runFake(ctx, s)
	case Drafts:
		err = runDrafts(ctx, s)
	case WhatsApp:
		err = runWhatsApp(ctx, s)
	case Gateway:
		err = runGateway(ctx, s)
	case NATS:
		err = natsnode.Run(ctx, natsnode.Config{
			Name: s.Name, Dir: s.Dir, Listen: s.Listen[Client], Cluster: "aftershock", ClusterListen: s.Listen[Cluster], Routes: s.Routes,
		})
	case Link:
		err = runLink(ctx, s)
	default:
		err = fmt.Errorf("there is no part %q", s.Kind)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return nil
}

// finishWithin bounds how long requests may go on after a part was told to stop.
const finishWithin = 8 * time.Second

// doors are a part's listeners and what is behind them.
type doors struct {
	servers []*http.Server
	serving sync.WaitGroup
	failed  chan error
}

// wrap puts something around the listener of a door.
type wrap map[string]func(net.Listener) net.Listener

// open listens on the part's doors and serves.
func open(s Spec, handlers map[string]http.Handler, around wrap) (*doors, error) {
	d := &doors{failed: make(chan error, len(handlers))}
	listeners := map[string]net.Listener{}
	for door := range handlers {
		l, err := net.Listen("tcp", s.Listen[door])
		if err != nil {
			for _, other := range listeners {
				other.Close()
			}
			return nil, fmt.Errorf("listen for %s: %w", door, err)
		}
		if by := around[door]; by != nil {
			l = by(l)
		}
		listeners[door] = l
	}
	for door, h := range handlers {
		srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
		d.servers = append(d.servers, srv)
		d.serving.Go(func() {
			if err := srv.Serve(listeners[door]); !errors.Is(err, http.ErrServerClosed) {
				d.failed <- fmt.Errorf("serve %s: %w", door, err)
			}
		})
	}
	return d, nil
}

// wait returns when the part shall stop, with an error when a door has failed.
func (d *doors) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.failed:
		return err
	}
}

// close lets requests finish, for a while.
func (d *doors) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), finishWithin)
	defer cancel()
	errs := make([]error, len(d.servers))
	var all sync.WaitGroup
	for i, srv := range d.servers {
		all.Go(func() {
			if err := srv.Shutdown(ctx); err != nil {
				errs[i] = srv.Close()
			}
		})
	}
	all.Wait()
	d.serving.Wait()
	return errors.Join(errs...)
}

// ready adds GET /readyz before a handler.
func ready(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/readyz" {
			w.WriteHeader(http.StatusOK)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// guarded lets only those in who know the key.
func guarded(key string, h http.Handler) http.Handler {
	want := []byte("Bearer " + key)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			http.Error(w, "this door is for the harness", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

package virtual_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/virtual"
)

var june = time.Date(2025, 6, 6, 17, 3, 0, 0, time.UTC)

func TestTimeIsVirtual(t *testing.T) {
	var began, ended time.Time
	virtual.Run(june, func() {
		began = time.Now()
		time.Sleep(8 * time.Hour)
		ended = time.Now()
	})
	if !began.Equal(june) || ended.Sub(began) != 8*time.Hour {
		t.Errorf("the bubble went from %v to %v", began, ended)
	}
}

// A name that is looked up inside one bubble must not end the process in the next.
func TestNamesCanBeLookedUpInEveryBubble(t *testing.T) {
	for range 2 {
		virtual.Run(june, func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, _ = net.DefaultResolver.LookupNetIP(ctx, "ip", "localhost")
		})
	}
}

func get(ctx context.Context, n *virtual.Network, url string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("hello"))
	if err != nil {
		return 0, "", err
	}
	resp, err := n.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestNetworkAnswers(t *testing.T) {
	virtual.Run(june, func() {
		n := virtual.NewNetwork()
		n.Handle("echo", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusAccepted)
			w.Write([]byte(r.URL.Path + " " + string(b)))
		}))
		code, body, err := get(context.Background(), n, "http://echo/a")
		if code != 202 || body != "/a hello" || err != nil {
			t.Errorf("got %d %q %v", code, body, err)
		}
		if _, _, err := get(context.Background(), n, "http://nobody/"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("an unknown host gives %v, want connection refused", err)
		}
		n.Wait()
	})
}

// A caller that times out must not end the work: that is how the incident made its duplicates.
func TestAbandonedWorkGoesOn(t *testing.T) {
	virtual.Run(june, func() {
		n := virtual.NewNetwork()
		finished, cancelled := false, false
		n.Handle("slow", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(30 * time.Second)
			finished, cancelled = true, r.Context().Err() != nil
		}))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		start := time.Now()
		_, _, err := get(ctx, n, "http://slow/")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 10*time.Second {
			t.Errorf("gave up after %v with %v", time.Since(start), err)
		}
		n.Wait()
		if !finished || !cancelled {
			t.Errorf("handler finished: %v, saw its context end: %v; want both", finished, cancelled)
		}
	})
}

// watched is a request's body that says when it was closed.
type watched struct {
	io.Reader
	closed *bool
}

func (w watched) Close() error {
	*w.closed = true
	return nil
}

// The body is the handler's until it ends, also when the caller has long given up; then it is closed.
func TestBodyIsTheHandlersUntilItEnds(t *testing.T) {
	virtual.Run(june, func() {
		n := virtual.NewNetwork()
		var read string
		var length int64
		closed, early := false, false
		n.Handle("slow", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(30 * time.Second)
			early = closed
			b, _ := io.ReadAll(r.Body)
			read, length = string(b), r.ContentLength
		}))
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://slow/", watched{strings.NewReader("hello"), &closed})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.RoundTrip(req); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("gave up with %v", err)
		}
		n.Wait()
		if read != "hello" || length != -1 || early || !closed {
			t.Errorf("read %q of length %d; closed before: %v, after: %v", read, length, early, closed)
		}

		closed = false
		req, err = http.NewRequest(http.MethodPost, "http://nobody/", watched{strings.NewReader("hello"), &closed})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.RoundTrip(req); !errors.Is(err, syscall.ECONNREFUSED) || !closed {
			t.Errorf("refused with %v, closed: %v", err, closed)
		}
	})
}

func TestBrokenConnections(t *testing.T) {
	virtual.Run(june, func() {
		n := virtual.NewNetwork()
		n.Handle("reset", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		n.Handle("cut", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		}))
		if _, _, err := get(context.Background(), n, "http://reset/"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("reset gives %v", err)
		}
		if _, body, err := get(context.Background(), n, "http://cut/"); body != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut gives %q %v", body, err)
		}
		n.Wait()
	})
}

// Pausing must stop virtual time itself. What the wall does in between does not matter, so nothing here is timed.
func TestThrottleHoldsTheBubble(t *testing.T) {
	th := virtual.NewThrottle(0)
	defer th.Close()
	th.Pause(true)
	passed := make(chan struct{})
	go func() {
		virtual.Run(june, func() { th.Pass(time.Second) })
		close(passed)
	}()
	select {
	case <-passed:
		t.Fatal("the bubble passed although it was paused")
	case <-time.After(20 * time.Millisecond):
	}
	th.Pause(false)
	<-passed
}

func TestReleaseLetsEverythingPass(t *testing.T) {
	th := virtual.NewThrottle(0.001)
	th.Release()
	virtual.Run(june, func() {
		for range 100 {
			time.Sleep(time.Hour)
			th.Pass(time.Hour)
		}
	})
	th.Close()
}

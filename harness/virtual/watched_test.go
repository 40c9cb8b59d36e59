package virtual_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/virtual"
)

// What holds virtual time up, or is left behind, is an error that names it and says what to do; the process lives on.
func TestWatchedNamesWhatHoldsTimeUp(t *testing.T) {
	outside := make(chan struct{})
	t.Cleanup(func() { close(outside) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	short, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = short.Close() })
	answers := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(answers.CloseClientConnections)
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-outside }))
	t.Cleanup(silent.CloseClientConnections)
	for name, c := range map[string]struct {
		f    func()
		want []string
	}{
		"socket": {func() { _, _ = l.Accept() }, []string{"stands still", "waits for a socket", "IO wait", "watched_test.go"}},
		"outside": {func() {
			go func() { time.Sleep(time.Second) }()
			<-outside
		}, []string{"stands still", "made outside", "chan receive", "watched_test.go"}},
		"lock": {func() {
			var mu sync.Mutex
			mu.Lock()
			go func() { time.Sleep(time.Second); mu.Unlock() }()
			mu.Lock()
		}, []string{"stands still", "lock whose holder sleeps", "sync.Mutex.Lock", "watched_test.go"}},
		"idle connection": {func() {
			res, err := http.Get(answers.URL)
			if err == nil {
				_ = res.Body.Close()
			}
			time.Sleep(time.Hour)
		}, []string{"waits for a socket", "IO wait", "net/http.(*persistConn).readLoop"}},
		"one after another": {func() {
			for {
				_ = short.(*net.TCPListener).SetDeadline(time.Now().Add(60 * time.Millisecond))
				done := make(chan struct{})
				go func() { defer close(done); _, _ = short.Accept() }()
				<-done
			}
		}, []string{"waits for a socket", "IO wait"}},
		"asks": {func() { _, _ = http.Get(silent.URL) }, []string{"waits for a socket", "watched_test.go"}},
		"left behind": {func() {
			go func() { select {} }()
		}, []string{"left behind", "select (no cases)", "watched_test.go"}},
		"left behind, ticking": {func() {
			go func() {
				for range time.Tick(time.Second) {
				}
			}()
			time.Sleep(time.Minute)
		}, []string{"left behind", "chan receive", "watched_test.go"}},
		"deadlock": {func() { select {} }, []string{"left behind", "select (no cases)", "watched_test.go"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var beat atomic.Int64
			err := virtual.Watched(time.Time{}, 100*time.Millisecond, &beat, c.f)
			if err == nil {
				t.Fatal("nothing was found")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in\n%v", want, err)
				}
			}
		})
	}
}

// Work that goes on for longer than anybody's patience is not a standstill, nor is a run that is throttled.
func TestWatchedLetsWorkBe(t *testing.T) {
	var beat atomic.Int64
	var enough atomic.Bool
	time.AfterFunc(300*time.Millisecond, func() { enough.Store(true) })
	if err := virtual.Watched(time.Time{}, 50*time.Millisecond, &beat, func() {
		for !enough.Load() {
			runtime.Gosched()
		}
		time.Sleep(time.Hour)
	}); err != nil {
		t.Error(err)
	}
	gate := virtual.NewThrottle(10) // two seconds take a fifth of one
	defer gate.Close()
	if err := virtual.Watched(time.Time{}, 50*time.Millisecond, &beat, func() {
		time.Sleep(2 * time.Second)
		gate.Pass(2 * time.Second)
	}); err != nil {
		t.Error(err)
	}
}

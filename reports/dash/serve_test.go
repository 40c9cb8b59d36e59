package dash

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// serve opens a server for a hub on a loopback address ("" picks one) and returns the address and how to shut it.
func serve(t *testing.T, s Server, addr string) (string, func()) {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := Listen(addr, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, Handler(s), l) }()
	var once sync.Once
	shut := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(shut)
	return l.Addr().String(), shut
}

// follower reads a source until it ends.
func follower(s Source, each func(Item)) (wait func() error) {
	done := make(chan error, 1)
	go func() {
		for it, err := range s.Items(context.Background(), "") {
			if err != nil {
				done <- err
				return
			}
			each(it)
		}
		done <- nil
	}()
	return func() error { return <-done }
}

// whole is everything the synthetic run records, in order of events and of gauges.
func whole() (events, gauges []string) {
	for _, it := range synthetic(testRun) {
		switch {
		case it.Event != nil:
			events = append(events, brief(it))
		case it.Gauge != nil:
			gauges = append(gauges, brief(it))
		}
	}
	return events, gauges
}

// split separates what a viewer saw.
func split(seen []string) (events, gauges []string) {
	for _, s := range seen {
		if strings.HasPrefix(s, "event") && s != "event 0" {
			events = append(events, s)
		}
		if strings.HasPrefix(s, "gauge") {
			gauges = append(gauges, s)
		}
	}
	return events, gauges
}

func same(t *testing.T, who string, seen []string) {
	t.Helper()
	events, gauges := split(seen)
	wantE, wantG := whole()
	if !slices.Equal(events, wantE) || !slices.Equal(gauges, wantG) {
		t.Errorf("%s saw %d events and %d readings, want %d and %d, each once and in order", who, len(events), len(gauges), len(wantE), len(wantG))
	}
}

// cutting forwards connections and breaks each after some bytes.
func cutting(t *testing.T, to string, after int64) (addr string, cuts *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	cuts = new(atomic.Int64)
	conns.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			n := cuts.Add(1)
			conns.Go(func() { io.Copy(out, in); out.Close() })
			conns.Go(func() { io.CopyN(in, out, after*n); in.Close(); out.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); conns.Wait() })
	return l.Addr().String(), cuts
}

// TestRemoteSurvivesCuts: a connection that breaks again and again loses nothing and repeats nothing.
func TestRemoteSurvivesCuts(t *testing.T) {
	w, items := begin(t, "name: june6\n")
	addr, _ := serve(t, Server{Hub: NewHub(w.Dir(), w.Subscribe)}, "")
	proxy, cuts := cutting(t, addr, 200_000)
	r, err := AttachURL("http://"+proxy, "")
	if err != nil {
		t.Fatal(err)
	}
	r.retry = time.Millisecond
	var seen []string
	wait := follower(r, func(it Item) { seen = append(seen, brief(it)) })
	write(w, items)
	finish(t, w, *synthetic(0)[0].Info)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	same(t, "the viewer", seen)
	if cuts.Load() < 3 || !slices.Contains(seen, "lost") {
		t.Errorf("only %d connections, and the viewer was told of no loss", cuts.Load())
	}
}

// TestRemoteSurvivesServer: the server goes away and comes back at the same address.
func TestRemoteSurvivesServer(t *testing.T) {
	w, items := begin(t, "name: june6\n")
	hub := NewHub(w.Dir(), w.Subscribe)
	addr, shut := serve(t, Server{Hub: hub}, "")
	r, err := AttachURL("http://"+addr, "")
	if err != nil {
		t.Fatal(err)
	}
	r.retry = time.Millisecond
	var mu sync.Mutex
	var seen []string
	got := make(chan string, 10_000)
	wait := follower(r, func(it Item) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, brief(it))
		got <- brief(it)
	})
	until := func(want string) {
		for s := range got {
			if s == want {
				return
			}
		}
	}
	write(w, items[:500])
	until(brief(items[499]))
	shut()
	until("lost")
	write(w, items[500:1000])
	_, _ = serve(t, Server{Hub: hub}, addr)
	until(brief(items[999]))
	write(w, items[1000:])
	finish(t, w, *synthetic(0)[0].Info)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	same(t, "the viewer", seen)
}

// TestSlowViewersHoldNobody: five viewers take nothing at all; the run writes on, a sixth sees everything, and the five
// are cut off.
func TestSlowViewersHoldNobody(t *testing.T) {
	w, items := begin(t, "name: june6\n")
	hub := NewHub(w.Dir(), w.Subscribe)
	addr, _ := serve(t, Server{Hub: hub, patience: 50 * time.Millisecond}, "")
	for range 5 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReaderSize(c, 16).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatalf("%q, %v", line, err)
		}
	}
	r, err := AttachURL("http://"+addr, "")
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	wait := follower(r, func(it Item) { seen = append(seen, brief(it)) })
	write(w, items) // returns although five viewers are stuck
	finish(t, w, *synthetic(0)[0].Info)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	same(t, "the sixth viewer", seen)
}

// TestWhoMayDoWhat is the table of doors.
func TestWhoMayDoWhat(t *testing.T) {
	w, items := begin(t, "name: june6\n")
	write(w, items[:20])
	finish(t, w, *synthetic(0)[0].Info)
	for _, c := range []struct {
		name, token, method, path, host, auth, body string
		want                                        int
	}{
		{"anybody here may look", "", "GET", "/snapshot", "127.0.0.1:9464", "", "", 200},
		{"by name too", "", "GET", "/metrics", "localhost", "", "", 200},
		{"a web page's name is refused", "", "GET", "/events", "evil.example", "", "", 403},
		{"nobody may steer without a token", "", "POST", "/control", "127.0.0.1", "", `{"do":"abort"}`, 403},
		{"no token given", "secret", "GET", "/snapshot", "127.0.0.1", "", "", 401},
		{"a wrong token", "secret", "POST", "/control", "127.0.0.1", "Bearer guess", `{"do":"abort"}`, 401},
		{"the token", "secret", "POST", "/control", "host.example", "Bearer secret", `{"do":"mark","note":"x"}`, 200},
		{"an unknown order", "secret", "POST", "/control", "h", "Bearer secret", `{"do":"explode"}`, 409},
		{"a bad speed", "secret", "POST", "/control", "h", "Bearer secret", `{"do":"speed","x":-1}`, 409},
		{"a misspelt key", "secret", "POST", "/control", "h", "Bearer secret", `{"doo":"abort"}`, 400},
		{"an endless body", "secret", "POST", "/control", "h", "Bearer secret", `{"do":"` + strings.Repeat("a", 20_000) + `"}`, 400},
		{"a place that is none", "", "GET", "/events", "localhost", "", "", 400},
		{"the wrong method", "", "GET", "/control", "localhost", "", "", 405},
		{"no such page", "", "GET", "/admin", "localhost", "", "", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := &recorder{}
			req := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			req.Host = c.host
			if c.auth != "" {
				req.Header.Set("Authorization", c.auth)
			}
			if c.want == 400 && c.path == "/events" {
				req.Header.Set("Last-Event-ID", "../../etc")
			}
			resp := httptest.NewRecorder()
			Handler(Server{Hub: NewHub(w.Dir(), nil), Control: rec, Token: c.token}).ServeHTTP(resp, req)
			if resp.Code != c.want {
				t.Errorf("%d %s, want %d", resp.Code, resp.Body, c.want)
			}
			if resp.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("pages of others are let in")
			}
			if c.want != 200 && len(rec.did) > 0 {
				t.Errorf("did %v", rec.did)
			}
		})
	}
}

func TestListenRefusesTheWorldWithoutAToken(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "10.1.2.3:0"} {
		if l, err := Listen(addr, ""); err == nil {
			l.Close()
			t.Errorf("%s was opened without a token", addr)
		}
	}
	l, err := Listen("127.0.0.1:0", "")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// TestSocket: private, not stolen from a run that lives, taken over from one that does not, and steering without a
// token.
func TestSocket(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	l, err := ListenSocket("june6-s1")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{SocketPath("june6-s1"): 0o600, filepath.Dir(SocketPath("june6-s1")): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
	w, items := begin(t, "name: june6\n")
	rec := &recorder{}
	hub := NewHub(w.Dir(), w.Subscribe)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, Handler(Server{Hub: hub, Control: hub.Control(rec)}), l) }()
	if _, err := ListenSocket("june6-s1"); err == nil {
		t.Error("the socket of a run that lives was taken")
	}
	if got := Running(); !slices.Equal(got, []string{"june6-s1"}) {
		t.Errorf("running: %v", got)
	}
	run, err := Open("", "")
	if err != nil || run.Control == nil || run.Finished {
		t.Fatalf("%+v, %v", run, err)
	}
	for _, f := range []func() error{
		func() error { return run.Control.Pause(true) }, func() error { return run.Control.Speed(60) },
		func() error { return run.Control.Mark("a note") }, func() error { return run.Control.Apply("{kill: whatsapp/1}") },
		run.Control.Abort, func() error { _, err := run.Control.(Reporter).Report(); return err },
	} {
		if err := f(); err != nil {
			t.Error(err)
		}
	}
	if got, want := strings.Join(rec.did, "; "), `pause true; speed 60; mark "a note"; apply {kill: whatsapp/1}; abort; report`; got != want {
		t.Errorf("did %s, want %s", got, want)
	}
	rec.err = errNoReport
	if err := run.Control.Pause(false); err == nil || !strings.Contains(err.Error(), errNoReport.Error()) {
		t.Errorf("the reason of a refusal is lost: %v", err)
	}
	var seen []string
	wait := follower(run.Source, func(it Item) { seen = append(seen, brief(it)) })
	write(w, items)
	finish(t, w, *synthetic(0)[0].Info)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	same(t, "a viewer by the socket", seen)
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(SocketPath("june6-s1"), nil, 0o600); err != nil { // as a killed run leaves it
		t.Fatal(err)
	}
	l, err = ListenSocket("june6-s1")
	if err != nil {
		t.Fatalf("a dead socket is not replaced: %v", err)
	}
	l.Close()
	if _, err := ListenSocket("../escape"); err == nil {
		t.Error("a run's name may not leave the folder")
	}
}

func TestOpen(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	w, items := begin(t, "name: june6\n")
	write(w, items[:20])
	finish(t, w, *synthetic(0)[0].Info)
	run, err := Open(w.Dir(), "")
	if err != nil || !run.Finished || run.Control != nil {
		t.Errorf("%+v, %v", run, err)
	}
	for target, want := range map[string]string{
		"":                        "no run goes on",
		"nothing-here":            `no run "nothing-here"`,
		"ftp://host":              "want a URL such as",
		"http://":                 "want a URL such as",
		"http://me:word@host/":    "not into the URL",
		t.TempDir():               "no folder of a run",
		"http://127.0.0.1:1/none": "",
	} {
		_, err := Open(target, "")
		if (want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", target, err, want)
		}
	}
}

// TestAttachFailsAtOnce: an address nobody serves is an error, not a viewer that waits for ever.
func TestAttachFailsAtOnce(t *testing.T) {
	r, err := AttachURL("http://127.0.0.1:1", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := follower(r, func(Item) {})(); err == nil {
		t.Error("no error")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "data: <html>\n\n") }))
	defer srv.Close()
	if r, err = AttachURL(srv.URL, ""); err != nil {
		t.Fatal(err)
	}
	if err := follower(r, func(Item) {})(); err == nil || !strings.Contains(err.Error(), "not a run's stream") {
		t.Errorf("some other server: %v", err)
	}
}

// TestHeartbeat: comments are a sign of life, and a silent connection is given up.
func TestHeartbeat(t *testing.T) {
	hold := make(chan struct{})
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		io.WriteString(w, ": aftershock\n\nid: 0-0\ndata: {}\n\n: beat\n\n")
		if n > 1 {
			io.WriteString(w, "event: end\ndata: {}\n\n")
			return
		}
		http.NewResponseController(w).Flush()
		<-hold
	}))
	defer srv.Close()
	defer close(hold)
	r, err := AttachURL(srv.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	r.silent, r.retry = 20*time.Millisecond, time.Millisecond
	var seen []string
	if err := follower(r, func(it Item) { seen = append(seen, brief(it)) })(); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(seen, " "), "beat beat beat lost beat beat beat"; got != want {
		t.Errorf("saw %q, want %q", got, want)
	}
}

var _ Reporter = (*Remote)(nil)
var _ Control = (*Remote)(nil)
var _ Source = (*Hub)(nil)
var _ Source = Folder(record.FileInfo)

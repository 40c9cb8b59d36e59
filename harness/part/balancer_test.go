package part

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/tap"
)

// echo answers with its name and the body it was sent.
func echo(t *testing.T, name string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if string(b) == "break" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, name+":"+string(b)+":"+r.Header.Get("X-Request-Id"))
	}))
	t.Cleanup(srv.Close)
	return srv
}

func post(url, body string) (status int, answer string, err error) {
	req, err := http.NewRequest(http.MethodPost, url+"/v1/messages", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("X-Request-Id", "m000001.1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestBalancerPassesARequestOnInOneWrite(t *testing.T) {
	a := echo(t, "a")
	var dialer tap.Dialer
	transport := NewTransport()
	transport.DialContext = dialer.DialContext
	balancer := NewBalancer(transport)
	if err := balancer.Set(Backends{URLs: []string{a.URL}}); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(proxy(balancer))
	defer front.Close()
	if _, answer, err := post(front.URL, "hello"); err != nil || answer != "a:hello:m000001.1" {
		t.Fatalf("%q, %v", answer, err)
	}
	if n := dialer.Writes.Load(); n != 1 {
		t.Errorf("headers and body were passed on in %d writes", n)
	}
	transport.CloseIdleConnections()
}

func TestBalancerTakesTurns(t *testing.T) {
	a, b := echo(t, "a"), echo(t, "b")
	balancer := NewBalancer(NewTransport())
	front := httptest.NewServer(proxy(balancer))
	defer front.Close()

	if status, _, err := post(front.URL, "x"); err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("without backends: %d, %v", status, err)
	}
	if err := balancer.Set(Backends{URLs: []string{a.URL, b.URL}}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for range 10 {
		_, answer, err := post(front.URL, "hello")
		if err != nil {
			t.Fatal(err)
		}
		seen[answer]++
	}
	if seen["a:hello:m000001.1"] != 5 || seen["b:hello:m000001.1"] != 5 {
		t.Errorf("turns: %v", seen)
	}
}

func TestBalancerAsksAnotherOnlyWhenNothingWasSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	a := echo(t, "a")
	balancer := NewBalancer(NewTransport())
	front := httptest.NewServer(proxy(balancer))
	defer front.Close()
	if err := balancer.Set(Backends{URLs: []string{nobody, a.URL}}); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if status, answer, err := post(front.URL, "hello"); err != nil || status != 200 || answer != "a:hello:m000001.1" {
			t.Errorf("with one backend gone: %d %q %v", status, answer, err)
		}
	}
	if status, _, err := post(front.URL, "break"); err == nil {
		t.Errorf("a connection that the replica broke was answered with %d", status)
	}
	if err := balancer.Set(Backends{URLs: []string{nobody}}); err != nil {
		t.Fatal(err)
	}
	if status, _, err := post(front.URL, "hello"); err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("with every backend gone: %d, %v", status, err)
	}
}

func TestBalancerLeavesTheRequestAsItIs(t *testing.T) {
	a := echo(t, "a")
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	balancer := NewBalancer(transport)
	req, err := http.NewRequest(http.MethodGet, "http://sender/v1/messages", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(want int, says string) {
		t.Helper()
		resp, err := balancer.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != want || string(b) != says {
			t.Errorf("%d %q %v, want %d %q", resp.StatusCode, b, err, want, says)
		}
	}
	ask(http.StatusServiceUnavailable, "no replica is ready")
	if err := balancer.Set(Backends{URLs: []string{a.URL}}); err != nil {
		t.Fatal(err)
	}
	ask(http.StatusOK, "a::")
	if req.URL.Host != "sender" { // requests of a caller share their URL
		t.Errorf("the request goes to %s now", req.URL.Host)
	}
}

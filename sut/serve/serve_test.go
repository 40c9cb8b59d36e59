package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/sut"
)

func hardened(t *testing.T) sut.Config {
	c, err := sut.ParseConfig("test", []byte("simulate: false"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRealHostsAreRefusedUntilToldTwice(t *testing.T) {
	for api, real := range map[string]bool{
		"https://graph.facebook.com/v24.0": true, "https://waba-v2.360dialog.io": true, "http://8.8.8.8/v24.0": true,
		"https://GRAPH.facebook.com./v24.0": true, "http://127.0.0.1:8080/v24.0": false, "http://[::1]:8080": false,
		"http://localhost:8080": false, "http://fakewa:8080/v24.0": false, "http://10.1.2.3": false, "http://graph.fake/v24.0": false,
		"http://fakewa.prod.svc.cluster.local": false,
	} {
		for told := range 3 {
			o := Options{Role: "all", Queue: "memory", Config: hardened(t), API: api, Phone: "1", Token: "t", AllowReal: told}
			err := o.Validate()
			if refused := errors.Is(err, ErrReal); refused != (real && told < 2) {
				t.Errorf("%s, told %d times: %v", api, told, err)
			}
		}
	}
}

func TestWrongSettingsAreToldWithTheirPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sender.yaml")
	if err := os.WriteFile(file, []byte("preset: mitigated\ndrafts:\n  burst: 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	misnamed := filepath.Join(t.TempDir(), "preset.yaml")
	if err := os.WriteFile(misnamed, []byte("\npreset: hardned\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		layers Layers
		want   string
	}{
		{Layers{File: file}, file + ":3: drafts.burst: 0; at least 1 is needed"},
		{Layers{File: misnamed}, misnamed + `:2: preset: "hardned" is not a preset; did you mean hardened?`},
		{Layers{Preset: "x"}, `flag --preset: preset: "x" is not a preset; use incident, mitigated, hardened`},
		{Layers{Set: map[string]string{"drafts.burst": "0"}}, "flag --set: drafts.burst: 0; at least 1 is needed"},
		{Layers{Env: []string{"AFTERSHOCK_DRAFTS_BURST=0"}}, "environment AFTERSHOCK_DRAFTS_BURST: drafts.burst: 0; at least 1 is needed"},
		{Layers{Set: map[string]string{"drafts.burts": "1"}}, "flag --set: drafts.burts: unknown key; did you mean burst?"},
	} {
		_, _, err := c.layers.Config()
		if bad, ok := errors.AsType[*strict.Error](err); !ok || bad.Error() != c.want {
			t.Errorf("told %v, want %s", err, c.want)
		}
	}
}

func TestLayersInOrderOfStrength(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sender.yaml")
	if err := os.WriteFile(file, []byte("preset: mitigated\ndrafts: {rate_limit: 200/min, burst: 2}\nwhatsapp: {create: {retries: 7}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := Layers{
		File: file, Env: []string{"AFTERSHOCK_DRAFTS_BURST=3", "AFTERSHOCK_WHATSAPP_CREATE_RETRIES=8", "HOME=/"},
		Set: map[string]string{"whatsapp.create.retries": "9"},
	}
	c, origins, err := l.Config()
	if err != nil {
		t.Fatal(err)
	}
	if c.Drafts.Burst != 3 || c.WhatsApp.Create.Retries != 9 || c.Drafts.RateLimit.String() != "200/min" || c.Preset != "mitigated" {
		t.Errorf("burst %d, retries %d, rate %v, preset %s", c.Drafts.Burst, c.WhatsApp.Create.Retries, c.Drafts.RateLimit, c.Preset)
	}
	from := map[string]string{}
	for _, o := range origins {
		from[o.Key] = o.From
	}
	for key, want := range map[string]string{
		"drafts.rate_limit": "file " + file, "drafts.burst": "environment AFTERSHOCK_DRAFTS_BURST",
		"whatsapp.create.retries": "flag --set", "drafts.send.attempts": "preset mitigated",
	} {
		if from[key] != want {
			t.Errorf("%s comes from %q, want %q", key, from[key], want)
		}
	}
	names := map[string]string{}
	for _, k := range sut.Keys() {
		if other := names[EnvName(k)]; other != "" {
			t.Errorf("%s and %s share the variable %s", k, other, EnvName(k))
		}
		names[EnvName(k)] = k
	}
	if _, _, err := (Layers{Env: []string{"AFTERSHOCK_DRAFTS_RATE_LIMIT=fast"}}).Config(); err == nil || !strings.Contains(err.Error(), "rate_limit") {
		t.Errorf("bad value in the environment: %v", err)
	}
}

// part is a running process of a sender, in this process.
type part struct {
	whatsapp, drafts string
	stop             context.CancelFunc
	ended            chan error
}

func run(t *testing.T, o Options) *part {
	ctx, stop := context.WithCancel(context.Background())
	p := &part{stop: stop, ended: make(chan error, 1)}
	ready := make(chan struct{})
	o.Ready = func(w, d net.Addr) {
		if w != nil {
			p.whatsapp = "http://" + w.String()
		}
		if d != nil {
			p.drafts = "http://" + d.String()
		}
		close(ready)
	}
	go func() { p.ended <- Run(ctx, o) }()
	select {
	case <-ready:
	case err := <-p.ended:
		t.Fatal(err)
	}
	return p
}

func (p *part) end(t *testing.T) {
	p.stop()
	if err := <-p.ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func cloud(t *testing.T) (*httptest.Server, *atomic.Int64) {
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, `{"messages":[{"id":"wamid.%d"}]}`, n.Add(1))
	}))
	t.Cleanup(s.Close)
	return s, &n
}

// TestOneProcessOrTwo sends through a whole sender, and through its two services in processes of their own.
func TestOneProcessOrTwo(t *testing.T) {
	api, accepted := cloud(t)
	whole := run(t, Options{Config: hardened(t), API: api.URL, Phone: "1", Token: "t", Listen: "127.0.0.1:0", ListenDrafts: "127.0.0.1:0", Data: t.TempDir()})
	sendTo(t, whole.whatsapp, accepted, 1)
	whole.end(t)

	// Each has to know the other's address before it starts: take two free ones.
	front := freeAddress(t)
	d := run(t, Options{Role: "drafts", Config: hardened(t), WhatsAppURL: "http://" + front, ListenDrafts: "127.0.0.1:0"})
	w := run(t, Options{Role: "whatsapp", Config: hardened(t), API: api.URL, Phone: "1", Token: "t", Listen: front, DraftsURL: d.drafts})
	sendTo(t, w.whatsapp, accepted, 2)
	w.end(t)
	d.end(t)
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func sendTo(t *testing.T, url string, accepted *atomic.Int64, want int64) {
	resp, err := http.Post(url+"/v1/messages", "application/json", strings.NewReader(`{"to":"+15551234567","text":"Hello"}`))
	if err != nil {
		t.Fatal(err)
	}
	var taken struct{ ID string }
	err = json.NewDecoder(resp.Body).Decode(&taken)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("answered %d: %v", resp.StatusCode, err)
	}
	for deadline := time.Now().Add(20 * time.Second); accepted.Load() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the API has %d messages, want %d", accepted.Load(), want)
		}
	}
	resp, err = http.Get(url + "/v1/messages/" + taken.ID)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(b), taken.ID) {
		t.Errorf("GET the message: %d %s", resp.StatusCode, b)
	}
}

func TestOperatorsDoorsAskForTheToken(t *testing.T) {
	api, _ := cloud(t)
	p := run(t, Options{Config: hardened(t), API: api.URL, Phone: "1", Token: "t", Listen: "127.0.0.1:0", ListenDrafts: "127.0.0.1:0", Operator: "secret"})
	defer p.end(t)
	for _, c := range []struct {
		token string
		want  int
	}{{"", 401}, {"wrong", 401}, {"secret", 200}} {
		req, _ := http.NewRequest(http.MethodGet, p.whatsapp+"/v1/settings", nil)
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("token %q: %d, want %d", c.token, resp.StatusCode, c.want)
		}
	}
}

func TestAnAddressThatIsTakenIsAnErrorAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = Run(t.Context(), Options{Config: hardened(t), API: "http://127.0.0.1:1", Phone: "1", Token: "t", Listen: l.Addr().String(), ListenDrafts: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("Run: %v", err)
	}
}

// TestWebPagesAreKeptOut: a page open in a browser can neither send messages nor read settings through a name that it
// points at this machine; webhooks, which are signed, come by any name.
func TestWebPagesAreKeptOut(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8090}
	served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	h := admitted(served, at, []string{"sender.example"})
	for _, c := range []struct {
		url, origin string
		want        int
	}{
		{"http://127.0.0.1:8090/v1/messages", "", 204},
		{"http://sender.example/v1/messages", "", 204},
		{"http://evil.example/v1/messages", "", 403},
		{"http://127.0.0.1:8090/v1/pause", "https://evil.example", 403},
		{"http://tunnel.example/webhooks/whatsapp", "", 204},
	} {
		r := httptest.NewRequest("POST", c.url, nil)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s from %q: %d %s", c.url, c.origin, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	admitted(served, &net.TCPAddr{IP: net.IPv4zero, Port: 8090}, nil).ServeHTTP(w, httptest.NewRequest("POST", "http://sender:8090/v1/messages", nil))
	if w.Code != 204 {
		t.Errorf("a listener for other machines: %d", w.Code)
	}
}

package remote

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/fakewa/control"
	"github.com/aftershock-dev/aftershock/sut"
)

// door is a unit that an HTTP server stands for; the test asks nothing else of it.
type door struct {
	Unit
	url string
}

func (d door) Name() string      { return "drafts/1" }
func (d door) URL(string) string { return d.url }

// A change of the sender and of the fake is all or none, whichever of the two refuses it.
func TestSettingsAreAllOrNone(t *testing.T) {
	server, err := fakewa.NewServer(fakewa.Config{}, fakewa.Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	controls := httptest.NewServer(server.Control())
	defer controls.Close()
	var told atomic.Int64
	var deaf atomic.Bool
	drafts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if deaf.Load() {
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		}
		told.Add(1)
	}))
	defer drafts.Close()
	cfg, err := sut.ParseConfig("sender", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &System{client: &client{http: http.DefaultClient}, drafts: door{url: drafts.URL}, pool: &pool{}}
	s.fake = fake{client: func() *control.Client { return &control.Client{URL: controls.URL, HTTP: http.DefaultClient} }}
	s.settings = &settings{system: s, cfg: cfg}
	limit := func() string { c := s.settings.config(); return c.Effective()["drafts.rate_limit"] }
	wasLimit, wasLatency := limit(), server.Effective()["latency"]

	for name, c := range map[string]struct {
		values map[string]any
		deaf   bool
		says   string
	}{
		"the fake refuses":   {map[string]any{"sender.drafts.rate_limit": "300/min", "whatsapp.latency": "nonsense"}, false, "nonsense"},
		"the sender refuses": {map[string]any{"sender.drafts.rate_limit": "nonsense", "whatsapp.latency": "300ms"}, false, "nonsense"},
		"nobody's key":       {map[string]any{"sender.drafts.rate_limit": "300/min", "whatsapp.latency": "300ms", "load.rate": 3}, false, "only sender.… and whatsapp.…"},
		"the sender is deaf": {map[string]any{"sender.drafts.rate_limit": "300/min", "whatsapp.latency": "300ms"}, true, "not now"},
	} {
		deaf.Store(c.deaf)
		if err := s.settings.Set(t.Context(), c.values); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		if l := limit(); l != wasLimit || told.Load() != 0 {
			t.Errorf("%s: the sender's limit is %q, it was %q, and it was told %d times", name, l, wasLimit, told.Load())
		}
		if l := server.Effective()["latency"]; l != wasLatency {
			t.Errorf("%s: the fake's latency is %q, it was %q", name, l, wasLatency)
		}
	}
	deaf.Store(false)
	if err := s.settings.Set(t.Context(), map[string]any{"sender.drafts.rate_limit": "300/min", "whatsapp.latency": "300ms"}); err != nil {
		t.Fatal(err)
	}
	if limit() == wasLimit || server.Effective()["latency"] == wasLatency {
		t.Error("what can be changed was not")
	}
}

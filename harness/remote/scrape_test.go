package remote

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// The sender's own figures become gauges; a page that fails leaves them out and is told of.
func TestScraper(t *testing.T) {
	var answer atomic.Value
	answer.Store(func(w http.ResponseWriter) {
		fmt.Fprint(w, "jobs{state=\"waiting\"} 7\njobs{state=\"active\"} 3\nage 12\nlag_s 4\n")
	})
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" || r.Header.Get("Authorization") != "Bearer open sesame" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		answer.Load().(func(http.ResponseWriter))(w)
	}))
	defer page.Close()
	t.Setenv("SCRAPE_KEY", "open sesame")
	sc := &scenarios.Scenario{Target: &scenarios.Target{
		URL: page.URL + "/send", Secrets: map[string]scenarios.Secret{"key": {Env: "SCRAPE_KEY"}},
		Metrics: &scenarios.Metrics{
			Path: "/metrics", Headers: map[string]string{"Authorization": "Bearer {{.Secret.key}}"},
			Gauges: map[string]string{"backlog": `jobs{state=~"waiting|active"}`, "oldest_age": "age", "lag_s": "lag_s", "lost": `jobs{state="lost"}`},
		},
	}}
	s := &System{opts: Options{Scenario: sc, Compress: 10}, squeezer: &faketime{}, Every: time.Second}
	x, err := s.newScraper(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := map[string]float64{}
	x.read(t.Context(), v)
	want := map[string]float64{record.GBacklog: 10, record.GOldest: 1.2, record.GOwn + "lag_s": .4} // squeezed by ten, as the record is
	if fmt.Sprint(v) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", v, want)
	}
	for what, broken := range map[string]func(http.ResponseWriter){
		"status":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"no page": func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") },
		"endless": func(w http.ResponseWriter) {
			for range 10 << 10 {
				if _, err := fmt.Fprint(w, strings.Repeat("# 78901234\n", 100)); err != nil {
					return
				}
			}
		},
		"late": func(http.ResponseWriter) { time.Sleep(700 * time.Millisecond) },
	} {
		answer.Store(broken)
		v = map[string]float64{}
		if x.read(t.Context(), v); len(v) > 0 {
			t.Errorf("%s: %v", what, v)
		}
	}
	told := strings.Join(x.told(sc.Target.Metrics), "\n")
	if !strings.Contains(told, "could not be read 4 times of 5") || !strings.Contains(told, `never told of lost: jobs{state="lost"}`) || strings.Contains(told, "never told of backlog") {
		t.Errorf("told: %s", told)
	}
}

// What several copies tell is added, ages are the oldest's, and a copy that tells nothing leaves no half of a sum.
func TestScraperOverCopies(t *testing.T) {
	serve := func(text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	one, two := serve(`{"held": 3, "age": 8}`), serve(`{"held": 4, "age": 2}`)
	for _, c := range []struct {
		copies string
		pages  []string
		want   string
	}{
		{"", []string{one, two}, "map[backlog:7 oldest_age_s:8]"},
		{"max", []string{one, two}, "map[backlog:4 oldest_age_s:8]"},
		{"one", []string{one, two}, "map[backlog:3 oldest_age_s:8]"},
		{"", []string{one, "http://127.0.0.1:1"}, "map[]"},
		{"max", []string{one, "http://127.0.0.1:1"}, "map[backlog:3 oldest_age_s:8]"},
		{"", nil, "map[]"},
	} {
		s := &System{Every: time.Second, opts: Options{Scenario: &scenarios.Scenario{Target: &scenarios.Target{URL: one, Metrics: &scenarios.Metrics{
			Path: "/", Copies: c.copies, Gauges: map[string]string{"backlog": "$.held", "oldest_age": "$.age"},
		}}}}}
		x, err := s.newScraper(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		x.pages = func() []string { return c.pages }
		v := map[string]float64{}
		if x.read(t.Context(), v); fmt.Sprint(v) != c.want {
			t.Errorf("%q of %d pages: %v, want %s", c.copies, len(c.pages), v, c.want)
		}
	}
}

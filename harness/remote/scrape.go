package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/internal/scrape"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// known are the gauges that reports look for, by the names that a scenario gives.
var known = map[string]string{
	"backlog": record.GBacklog, "ready": record.GReady, "retrying": record.GRetrying, "in_flight": record.GInFlight,
	"oldest_age": record.GOldest, "replicas": record.GReplicasReady,
}

// recordedAs is a gauge's name in the record, by the name that a scenario gives.
func recordedAs(name string) string {
	if to, ok := known[name]; ok {
		return to
	}
	return record.GOwn + name
}

// scraper reads someone else's figures off its own page.
type scraper struct {
	pages   func() []string // URLs, one for each copy that runs
	header  http.Header
	gauges  map[string]*scrape.Expression // by the record's name
	copies  string
	squeeze float64 // how much faster the sender's time is: what it calls seconds
	client  *http.Client

	mu     sync.Mutex
	asked  int
	failed int
	last   error
	found  map[string]bool
}

// newScraper returns nil when the scenario asks for none.
func (s *System) newScraper(ctx context.Context) (*scraper, error) {
	t := s.opts.Scenario.Target
	if t == nil || t.Metrics == nil {
		return nil, nil
	}
	theirs, err := s.surroundings(*t)
	if err != nil {
		return nil, err
	}
	x, err := scraperOf(theirs)
	if err != nil {
		return nil, err
	}
	x.client = &http.Client{Timeout: min(quickly, max(s.Every/2, 200*time.Millisecond)), Transport: part.NewTransport()}
	x.pages = func() []string { return s.metricsPages(t.Metrics.Path) }
	if s.squeezer != nil {
		x.squeeze = s.opts.Compress
	}
	for _, page := range x.pages() {
		if err := offlimits.Check(ctx, page); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// scraperOf reads what the target says of its figures; where they are read, and how, is for the caller to say.
func scraperOf(theirs *surroundings) (*scraper, error) {
	m := theirs.target.Metrics
	x := &scraper{header: http.Header{}, gauges: map[string]*scrape.Expression{}, copies: m.Copies, squeeze: 1, found: map[string]bool{}}
	for k, text := range m.Headers {
		v, err := theirs.fill(text, "")
		if err != nil {
			return nil, fmt.Errorf("target.metrics.headers.%s: %w", k, err)
		}
		x.header.Set(k, v)
	}
	for name, text := range m.Gauges {
		e, err := scrape.Parse(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("target.metrics.gauges.%s: %w", name, err)
		}
		x.gauges[recordedAs(name)] = e
	}
	return x, nil
}

// metricsPages are the URLs of the page now.
func (s *System) metricsPages(path string) []string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return []string{path}
	case s.pool == nil:
		base, err := baseOf(s.door())
		if err != nil {
			return nil
		}
		return []string{base + path}
	}
	var out []string
	for _, u := range s.pool.running() {
		out = append(out, u.URL(part.HTTP)+path)
	}
	return out
}

// read adds the sender's own figures. What cannot be read is left out, and counted.
func (x *scraper) read(ctx context.Context, v map[string]float64) {
	pages := x.pages()
	if x.copies == "one" && len(pages) > 1 {
		pages = pages[:1]
	}
	read := make([]*scrape.Page, len(pages))
	var all sync.WaitGroup
	for i, url := range pages {
		all.Go(func() {
			page, err := x.get(ctx, url)
			read[i] = page
			x.count(ctx, err)
		})
	}
	all.Wait()
	for _, name := range slices.Sorted(maps.Keys(x.gauges)) {
		if n, ok := x.over(name, read); ok {
			v[name] = n
		}
	}
}

// over is a gauge over all copies; false when none told of it, or not all did and they are added: half a backlog is none.
func (x *scraper) over(name string, pages []*scrape.Page) (sum float64, ok bool) {
	for _, p := range pages {
		if p == nil {
			if x.copies != "max" {
				return 0, false
			}
			continue
		}
		n, there := x.gauges[name].Of(p)
		if !there {
			continue
		}
		x.mu.Lock()
		x.found[name] = true
		x.mu.Unlock()
		switch {
		case !ok:
			sum = n
		case x.copies == "max" || strings.HasSuffix(name, "_s"): // an age is that of the oldest
			sum = max(sum, n)
		default:
			sum += n
		}
		ok = true
	}
	if strings.HasSuffix(name, "_s") || strings.HasSuffix(name, "_s_total") {
		sum /= x.squeeze // a record keeps the wall's time, and reports stretch it
	}
	return sum, ok
}

func (x *scraper) get(ctx context.Context, url string) (*scrape.Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header = x.header.Clone()
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "text/plain;version=0.0.4, application/json;q=0.9, */*;q=0.1")
	}
	resp, err := x.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, scrape.MostBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", url, err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answered %d", url, resp.StatusCode)
	}
	page, err := scrape.Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return page, nil
}

func (x *scraper) count(ctx context.Context, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil && ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return // the run ended
	}
	x.asked++
	if err != nil {
		x.failed++
		x.last = err
	}
}

// told says what could not be read.
func (x *scraper) told(m *scenarios.Metrics) (out []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.failed > 0 {
		out = append(out, fmt.Sprintf("the sender's own figures could not be read %d times of %d: %v", x.failed, x.asked, x.last))
	}
	if x.failed == x.asked {
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(m.Gauges)) {
		if to := recordedAs(name); !x.found[to] {
			out = append(out, fmt.Sprintf("the sender's page never told of %s: %s", name, x.gauges[to]))
		}
	}
	return out
}

package dash

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// reading is the last reading of the synthetic run after 100 minutes.
func reading() map[string]float64 {
	items := synthetic(100 * time.Minute)
	return items[len(items)-1].Gauge.Values
}

// TestPrometheus is what a scrape sees.
func TestPrometheus(t *testing.T) {
	resp := httptest.NewRecorder()
	MetricsHandler(reading).ServeHTTP(resp, httptest.NewRequest("GET", "/metrics", nil))
	golden(t, "metrics.txt", resp.Body.String())
	resp = httptest.NewRecorder()
	MetricsHandler(func() map[string]float64 { return nil }).ServeHTTP(resp, httptest.NewRequest("GET", "/metrics", nil))
	if resp.Code != 200 {
		t.Errorf("before the first reading: %d %s", resp.Code, resp.Body)
	}
	resp = httptest.NewRecorder()
	MetricsHandler(func() map[string]float64 { return map[string]float64{"a b": 1, "a-b": 2, "api_error__total": 1} }).
		ServeHTTP(resp, httptest.NewRequest("GET", "/metrics", nil))
	if resp.Code != 200 {
		t.Errorf("names that meet: %d %s", resp.Code, resp.Body)
	}
}

// TestOTLP: the usual variables send the readings to a collector, the last one at the end.
func TestOTLP(t *testing.T) {
	var names []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		b, _ := io.ReadAll(body)
		var req collector.ExportMetricsServiceRequest
		if err := proto.Unmarshal(b, &req); err != nil {
			t.Error(err)
			return
		}
		for _, rm := range req.ResourceMetrics {
			for _, sm := range rm.ScopeMetrics {
				for _, m := range sm.Metrics {
					names = append(names, m.Name)
				}
			}
		}
	}))
	defer srv.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", srv.URL)
	if !WantsOTLP(os.Getenv) {
		t.Fatal("the environment asks for it")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ExportOTLP(ctx, "june6", reading); err != nil {
		t.Fatal(err)
	}
	sort.Strings(names)
	got := strings.Join(names, " ")
	for _, want := range []string{"aftershock_backlog", "aftershock_offered_total", "aftershock_api_errors_by_code_total"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing from %s", want, got)
		}
	}
	for _, e := range []string{"", "OTEL_EXPORTER_OTLP_ENDPOINT=x OTEL_SDK_DISABLED=true", "OTEL_EXPORTER_OTLP_ENDPOINT=x OTEL_METRICS_EXPORTER=none"} {
		if WantsOTLP(env(e)) {
			t.Errorf("%q does not ask for it", e)
		}
	}
}

// TestGrafanaKnowsTheMetrics: every metric the dashboard in docs/grafana asks for is one that a run serves.
func TestGrafanaKnowsTheMetrics(t *testing.T) {
	b, err := os.ReadFile("../../docs/grafana/aftershock.json")
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{"aftershock_api_errors_by_code_total": true}
	for _, g := range []string{
		record.GOffered, record.GFrontDoor, record.GFrontDoorFirst, record.GAnswered, record.GRefused, record.GFrontTimeouts, record.GFront503,
		record.GCreate, record.GCreateFirst, record.GCreateTimeouts, record.GSend, record.GSendFirst, record.GSendTimeouts, record.GSend503,
		record.GAccepted, record.GGoodput, record.GDuplicates, record.GDuplicated, record.GDelivered, record.GMediaErrors, record.GExpired, record.GFailed, record.GLost,
		record.GOfferedRate, record.GBacklog, record.GReady, record.GRetrying, record.GInFlight, record.GOldest, record.GUnknown, record.GReplicasReady,
		record.GReplicasWant, record.GReplicasMax, record.GWhatsAppCPU, record.GWhatsAppMem, record.GDraftsCPU, record.GDraftsMem, record.GWasted,
		record.GWork, record.GRateLimit, record.GDeliveryP50, record.GDeliveryP99, record.GResponseP50, record.GResponseP99, record.GLateness,
	} {
		served["aftershock_"+g] = true
	}
	asked := regexp.MustCompile(`aftershock_[a-z0-9_]+`).FindAllString(string(b), -1)
	if len(asked) < 20 {
		t.Fatalf("only %d metrics asked for", len(asked))
	}
	for _, name := range asked {
		if !served[name] {
			t.Errorf("no run serves %s", name)
		}
	}
}

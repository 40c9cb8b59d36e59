package dash

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// WantsOTLP reports whether the environment asks for metrics over OTLP.
func WantsOTLP(env func(string) string) bool {
	if env("OTEL_SDK_DISABLED") == "true" || env("OTEL_METRICS_EXPORTER") == "none" {
		return false
	}
	return env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") != "" || env("OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

// ExportOTLP pushes the last reading of a run's gauges over OTLP/HTTP until ctx is done, and once more then. Where to
// and how often is said by the usual OTEL_* variables, which the exporter reads itself.
func ExportOTLP(ctx context.Context, run string, latest func() map[string]float64) error {
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return fmt.Errorf("export metrics over OTLP: %w", err)
	}
	res, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("aftershock.run", run)))
	if err != nil {
		res = resource.NewSchemaless(attribute.String("aftershock.run", run))
	}
	reader := sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithProducer(producer{time.Now(), latest}))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(res))
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := provider.Shutdown(last); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("export metrics over OTLP: %w", err)
	}
	return nil
}

// producer gives the SDK the gauges as they are, whatever they are called.
type producer struct {
	start  time.Time
	latest func() map[string]float64
}

// Produce returns the last reading.
func (p producer) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	now := time.Now()
	var ms []metricdata.Metrics
	for _, m := range metrics(p.latest()) {
		var attrs attribute.Set
		if m.code != "" {
			attrs = attribute.NewSet(attribute.String("code", m.code))
		}
		point := metricdata.DataPoint[float64]{Attributes: attrs, StartTime: p.start, Time: now, Value: m.value}
		if !m.counter {
			ms = append(ms, metricdata.Metrics{Name: m.name, Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{point}}})
			continue
		}
		if n := len(ms); n > 0 && ms[n-1].Name == m.name {
			sum := ms[n-1].Data.(metricdata.Sum[float64])
			sum.DataPoints = append(sum.DataPoints, point)
			ms[n-1].Data = sum
			continue
		}
		ms = append(ms, metricdata.Metrics{Name: m.name, Data: metricdata.Sum[float64]{
			Temporality: metricdata.CumulativeTemporality, IsMonotonic: true,
			DataPoints: []metricdata.DataPoint[float64]{point}}})
	}
	if len(ms) == 0 {
		return nil, nil
	}
	return []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: "github.com/aftershock-dev/aftershock/reports/dash"}, Metrics: ms}}, nil
}

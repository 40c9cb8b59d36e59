package local_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// BenchmarkReplay prints what a message costs, from ten thousand to a million: the cost has to stay flat.
func BenchmarkReplay(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // as the command does
			text := fmt.Sprintf(`schema: aftershock/scenario/v1
name: bench
seed: 1
load: {phases: [{name: steady, for: %dm, rate: 1000/min}]}
messages: {mix: {text: 80%%, image: 20%%}}
client: {timeout: 10s, retries: 2, backoff: 1s, idempotency_key: true}
sender: {preset: hardened, whatsapp: {replicas: {min: 16, max: 24}}}
`, n/1000)
			s, err := scenarios.Read("bench.yaml", []byte(text), scenarios.Options{Blocks: local.Blocks()})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				began := time.Now()
				info, err := local.Replay(context.Background(), local.Options{
					Scenario: s, Dir: filepath.Join(b.TempDir(), "run"),
				})
				if err != nil {
					b.Fatal(err)
				}
				wall := time.Since(began).Seconds()
				runtime.ReadMemStats(&after)
				b.ReportMetric(info.Virtual.Seconds()/wall, "virtual-s/s")
				b.ReportMetric(float64(n)/wall, "messages/s")
				b.ReportMetric(wall/float64(n)*1e6, "µs/message")
				b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(n), "B-allocated/message")
				b.ReportMetric(float64(after.Sys)/float64(n), "B-from-OS/message")
			}
		})
	}
}

package queue_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/queue"
)

// BenchmarkJetStream moves messages of 512 bytes through synced files: put, taken and acknowledged.
func BenchmarkJetStream(b *testing.B) {
	for _, workers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("synced/workers=%d", workers), func(b *testing.B) {
			throughput(b, workers, queue.JetStream{Dir: b.TempDir()})
		})
	}
	b.Run("unsynced/workers=16", func(b *testing.B) {
		throughput(b, 16, queue.JetStream{Dir: b.TempDir(), Unsynced: true})
	})
	b.Run("in memory/workers=16", func(b *testing.B) {
		throughput(b, 16, queue.JetStream{Storage: queue.StorageMemory})
	})
}

func throughput(b *testing.B, workers int, js queue.JetStream) {
	q := openStreamed(b, queue.Config{Lease: 90 * time.Second, MaxItems: 1 << 20}, js)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	body := make([]byte, 512)
	var puts, takes sync.WaitGroup
	var next, left atomic.Int64
	total := int64(b.N)
	left.Store(total)
	b.ResetTimer()
	for range workers {
		takes.Go(func() {
			for {
				c, err := q.Take(ctx, "")
				if err != nil {
					return
				}
				if err := c.Ack(context.Background()); err != nil {
					b.Error(err)
				}
				if left.Add(-1) == 0 {
					cancel()
				}
			}
		})
		puts.Go(func() {
			for {
				n := next.Add(1)
				if n > total {
					return
				}
				if err := q.Put(context.Background(), queue.Item{ID: fmt.Sprint(n), Tenant: "acme", Body: body}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	puts.Wait()
	takes.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(float64(syncTime(b).Microseconds()), "µs/sync")
	if err := q.Close(context.Background()); err != nil {
		b.Error(err)
	}
}

// syncTime is what the disk takes for one synced write, at this moment.
func syncTime(b *testing.B) time.Duration {
	f, err := os.CreateTemp(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	const n = 100
	start := time.Now()
	for range n {
		if _, err := f.Write(make([]byte, 512)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	took := time.Since(start) / n
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return took
}

// processorTime is what this process has used, which a busy machine changes less than the time on the wall.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkReplay moves the messages of a replay in virtual time, put and taken at 400 a minute by one dispatcher.
func BenchmarkReplay(b *testing.B) {
	run := func(open func() (queue.Queue, error)) func(b *testing.B) {
		return func(b *testing.B) {
			before := processorTime(b)
			synctest.Test(new(testing.T), func(*testing.T) {
				q, err := open()
				if err != nil {
					b.Fatal(err)
				}
				ctx, cancel := context.WithCancel(context.Background())
				var work sync.WaitGroup
				n := b.N
				work.Go(func() {
					for range n {
						c, err := q.Take(ctx, "")
						if err != nil {
							b.Error(err)
							return
						}
						time.Sleep(150 * time.Millisecond)
						if err := c.Ack(ctx); err != nil {
							b.Error(err)
						}
					}
				})
				for i := range n {
					time.Sleep(130 * time.Millisecond)
					if err := q.Put(ctx, queue.Item{ID: fmt.Sprint(i), Tenant: "acme", Body: make([]byte, 512)}); err != nil {
						b.Error(err)
					}
				}
				work.Wait()
				cancel()
				if err := q.Close(context.Background()); err != nil {
					b.Error(err)
				}
			})
			b.ReportMetric(170_000*b.Elapsed().Seconds()/float64(b.N), "s/170k-messages")
			b.ReportMetric(170_000*(processorTime(b)-before).Seconds()/float64(b.N), "cpu-s/170k-messages")
		}
	}
	cfg := queue.Config{Lanes: instant.Lanes{On: true}}
	b.Run("memory", run(func() (queue.Queue, error) { return queue.NewMemory(cfg), nil }))
	b.Run("jetstream", run(func() (queue.Queue, error) {
		return queue.OpenJetStream(context.Background(), cfg, queue.JetStream{Storage: queue.StorageMemory})
	}))
	b.Run("jetstream-unsynced-file", run(func() (queue.Queue, error) {
		return queue.OpenJetStream(context.Background(), cfg, queue.JetStream{Unsynced: true})
	}))
}

//go:build unix

package fakewa

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// BenchmarkFakewaMillion sends a million messages, every tenth of them twice over, and lets every status take effect.
// It reports what the fake then holds, and what a send and its statuses cost in processor time at the start and at the
// end. It fails when more is held than may be, when a count is off by one, or when the ledger, most of which is on
// disk by then, has a gap.
func BenchmarkFakewaMillion(b *testing.B) {
	for b.Loop() {
		million(b, 1_000_000)
	}
}

// mostHeld is how many MiB a million messages may hold.
const mostHeld = 400

func million(b *testing.B, n int) {
	s, err := NewServer(Config{}, Wiring{SpillDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	before := heap()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r, err := http.NewRequest("POST", "http://x/v24.0/106540352242922/messages", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer EAAbench")
	w := nullWriter{h: http.Header{}}
	send := func(i int) {
		body := bytes.ReplaceAll([]byte(benchText), []byte("0000001"), []byte(strconv.Itoa(1e7+i)))
		body = bytes.Replace(body, []byte("16505551234"), []byte(strconv.Itoa(16500000000+i%50_000)), 1)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.ServeHTTP(w, r)
	}
	var sent int64
	upTo := func(from, to int) time.Duration {
		start := cpu(b)
		for i := from; i < to; i++ {
			send(i)
			sent++
			if i%10 == 0 {
				send(i)
				sent++
			}
		}
		for s.Summary().Delivered < sent {
			time.Sleep(10 * time.Millisecond) // the last statuses take effect
		}
		return cpu(b) - start
	}
	first := upTo(0, n/10)
	upTo(n/10, n-n/10)
	last := upTo(n-n/10, n)
	copies := int64(n / 10)
	held := heap() - before
	cancel()
	if err := <-done; err != nil {
		b.Error(err)
	}
	sum := s.Summary()
	if sum.Attempts != int64(n)+copies || sum.Accepted != int64(n)+copies || sum.Messages != int64(n) || sum.Duplicated != copies || sum.Copies != copies || sum.Forgotten != 0 {
		b.Errorf("counts are off: %+v", sum)
	}
	var seq, seen int64
	for {
		list := s.After(seq, 10_000)
		if len(list) == 0 {
			break
		}
		for _, e := range list {
			if e.Seq != seq+1 || e.Message == "" || !e.Accepted {
				b.Fatalf("entry %d after %d: %+v", e.Seq, seq, e)
			}
			seq = e.Seq
			if e.Copy == 2 && e.Status == "" {
				seen++
			}
		}
	}
	if seq != 2*(int64(n)+copies) || seen != copies {
		b.Errorf("the ledger ends at %d with %d copies", seq, seen)
	}
	if held > mostHeld<<20 {
		b.Errorf("%d MiB are held, %d at most are allowed", held>>20, mostHeld)
	}
	b.ReportMetric(float64(held)/(1<<20), "MiB-held")
	b.ReportMetric(float64(first.Nanoseconds())/float64(n/10)/1.1, "cpu-ns/send-first")
	b.ReportMetric(float64(last.Nanoseconds())/float64(n/10)/1.1, "cpu-ns/send-last")
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

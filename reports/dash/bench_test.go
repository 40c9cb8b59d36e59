package dash

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// BenchmarkFrame is what one picture costs: the snapshot, the drawing, and the bytes for the terminal while a run at
// 600 seconds a second is watched at ten pictures a second. A line of 100 kbit/s carries 12,500 bytes a second.
func BenchmarkFrame(b *testing.B) {
	items := synthetic(8 * time.Hour)
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			m := NewModel(Options{Caps: Capabilities{Color: Color256}}, nil)
			m.width, m.height = size[0], size[1]
			now := time.Now()
			var prev *frame
			next, sent, whole, frames := 0, 0, 0, 0
			b.ReportAllocs()
			for b.Loop() {
				if next+6 > len(items)-1 { // from the start again; not counted
					m.history, prev, next = NewHistory(), nil, 0
				}
				now = now.Add(frameEvery)
				m.Update(Tick(now))
				m.Update(Items(items[next : next+6]))
				next += 6
				f := m.draw()
				bytes := diff(prev, f, Color256)
				if prev != nil {
					sent += len(bytes)
					frames++
				}
				whole += len(f.String(Color256))
				prev = f
			}
			b.ReportMetric(float64(sent)/float64(max(frames, 1)), "B/frame")
			b.ReportMetric(float64(whole)/float64(max(b.N, 1)), "B/screen")
		})
	}
}

// BenchmarkFeed is what one reading costs a viewer.
func BenchmarkFeed(b *testing.B) {
	items := synthetic(8 * time.Hour)
	h, i := NewHistory(), 0
	b.ReportAllocs()
	for b.Loop() {
		if i == len(items)-1 {
			h, i = NewHistory(), 0
		}
		h.Feed(items[i])
		i++
	}
}

// BenchmarkPacing is how late a paced run is with nobody watching and with five viewers: a hit is due every
// millisecond and a reading is written every hundred, more often than a run compressed sixty times does. The two
// figures differ by no more than two runs without viewers do, on a machine that has a core to spare: the viewers'
// work is in this process too.
func BenchmarkPacing(b *testing.B) {
	for _, viewers := range []int{0, 5, 0, 5} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			w, items := begin(b, judged)
			hub := NewHub(w.Dir(), w.Subscribe)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			served := make(chan error, 1)
			go func() { served <- Serve(ctx, Handler(Server{Hub: hub}), l) }()
			var waits []func() error
			for range viewers {
				r, err := AttachURL("http://"+l.Addr().String(), "")
				if err != nil {
					b.Fatal(err)
				}
				h := NewHistory()
				waits = append(waits, follower(r, h.Feed))
			}
			readings := slices.DeleteFunc(items, func(it Item) bool { return it.Gauge == nil })
			var late []time.Duration
			due := time.Now()
			for i := 0; b.Loop(); i++ {
				due = due.Add(time.Millisecond)
				time.Sleep(time.Until(due))
				late = append(late, time.Since(due))
				if i%100 == 0 {
					g := *readings[i/100%len(readings)].Gauge
					g.At = time.Duration(i) * time.Second
					w.Gauge(g)
				}
			}
			info := *synthetic(0)[0].Info
			info.State = record.Finished
			if err := w.Close(info); err != nil {
				b.Fatal(err)
			}
			for _, wait := range waits {
				if err := wait(); err != nil {
					b.Fatal(err)
				}
			}
			cancel()
			if err := <-served; err != nil {
				b.Fatal(err)
			}
			slices.Sort(late)
			b.ReportMetric(float64(late[len(late)/2].Microseconds()), "late-p50-µs")
			b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "late-p99-µs")
		})
	}
}

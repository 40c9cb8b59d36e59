package reports

import (
	"bytes"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// benchMetrics are the metrics that bench.txt carries, by the unit that benchstat shows.
var benchMetrics = []struct{ metric, unit string }{
	{"delivery_time.p50", "delivery-p50-sec"}, {"delivery_time.p99", "delivery-p99-sec"}, {"response_time.p99", "response-p99-sec"}, {"api_time.p99", "api-p99-sec"},
	{"messages.delivered", "delivered"}, {"messages.expired", "expired"}, {"messages.failed", "failed"}, {"messages.shed", "shed"}, {"messages.lost", "lost"},
	{"duplicates.copies", "copies"}, {"media.errors", "media-errors"}, {"attempts.amplification", "amplification"}, {"backlog.max", "backlog"},
	{"timeouts.count", "timeouts"}, {"recovery.time", "recover-sec"}, {"recovery.drain", "drain-sec"},
}

// bench is the run as a line of Go's benchmark format, for benchstat.
func (r *Report) bench() []byte {
	var b bytes.Buffer
	s := r.summary
	// What stands here splits benchstat's tables: settings do not, for they are what one compares.
	fmt.Fprintf(&b, "goos: %s\npkg: aftershock\nclock: %s\nenvironment: %s\nqueue: %s\n", strings.SplitN(r.Info.Machine+"/", "/", 2)[0], s.Run.Clock, s.Run.Environment, s.Run.Queue)
	fmt.Fprintf(&b, "BenchmarkReplay/%s 1 %s ns/op", benchName(s.Scenario.Name), strconv.FormatFloat(s.Run.WallS*1e9, 'f', 0, 64))
	for _, m := range benchMetrics {
		if v, ok := r.Value(m.metric); ok && !isNever(v) {
			fmt.Fprintf(&b, " %s %s", strconv.FormatFloat(v, 'g', 12, 64), m.unit)
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}

func benchName(name string) string {
	return strings.Map(func(c rune) rune {
		if c <= ' ' {
			return '_'
		}
		return c
	}, name)
}

// histograms are the distributions written in the form that HdrHistogram's plotters read, in milliseconds.
func (r *Report) histograms() map[string][]byte {
	d := r.data
	out := map[string][]byte{}
	for _, h := range []struct {
		name string
		from sample
	}{
		{"delivery_time", nil}, {"response_time", ofMessages(responseTime)}, {"api_time", ofAttempts("api")},
		{"front_door.latency", ofAttempts("front_door")}, {"create.latency", ofAttempts("create")}, {"send.latency", ofAttempts("send")},
	} {
		if h.from != nil {
			if b := hgrm(d.sorted(h.name, h.from, d.whole())); b != nil {
				out[h.name] = b
			}
			continue
		}
		if b := hgrm(d.arrivals(d.whole())); b != nil { // forever is no value of a histogram
			out[h.name] = b
		}
		for _, p := range r.Info.Phases {
			if b := hgrm(d.arrivals(Window{p.From, p.To})); b != nil {
				out[h.name+"."+fileName(p.Name)] = b
			}
		}
	}
	return out
}

func hgrm(v []time.Duration) []byte {
	if len(v) == 0 {
		return nil
	}
	h := hdrhistogram.New(1, max(2, v[len(v)-1].Microseconds()+1), 3)
	for _, t := range v {
		// Every value lies below the highest one, which the histogram was made for.
		if err := h.RecordValue(max(1, t.Microseconds())); err != nil {
			continue
		}
	}
	var b bytes.Buffer
	if _, err := h.PercentilesPrint(&b, 5, 1000); err != nil { // a buffer takes everything
		return nil
	}
	return b.Bytes()
}

// fileName keeps what is safe in the name of a file.
func fileName(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
			return c
		}
		return '_'
	}, s)
}

func sortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

package sut

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
)

// surge is load as on 6 June: a calm rate, a ramp, a plateau, a ramp down, calm again.
type surge struct {
	base, peak            float64 // a minute
	calm, ramp, hold, end time.Duration
	media                 float64
}

func (s surge) rate(t time.Duration) float64 {
	switch up, top, down := t-s.calm, t-s.calm-s.ramp, t-s.calm-s.ramp-s.hold; {
	case up < 0:
		return s.base
	case top < 0:
		return s.base + (s.peak-s.base)*up.Seconds()/s.ramp.Seconds()
	case down < 0:
		return s.peak
	case down < s.ramp:
		return s.peak - (s.peak-s.base)*down.Seconds()/s.ramp.Seconds()
	}
	return s.base
}

// outcome is what a run came to.
type surgeResult struct {
	messages, taken, delivered, copies, duplicates, never int
	p50, p99                                              time.Duration
	digest                                                uint64
	stats                                                 Stats
}

// run drives the load through a world and waits until the backlog is empty, or for most.
func (s surge) run(t *testing.T, w *world, watch func(at time.Duration, st Stats), at map[time.Duration]func()) surgeResult {
	start := time.Now()
	var clients sync.WaitGroup
	var mu sync.Mutex
	sent := map[string]time.Time{}
	taken := 0
	lanes := instant.Lanes{On: true}
	keys := make([]time.Duration, 0, len(at))
	for k := range at {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
	stop := make(chan struct{})
	var aside sync.WaitGroup
	aside.Go(func() {
		next := 5 * time.Minute
		for {
			select {
			case <-stop:
				return
			case <-time.After(lanes.Of(instant.System, instant.Gauges).After(time.Now(), time.Until(start.Add(next)))):
			}
			for len(keys) > 0 && keys[0] <= next {
				at[keys[0]]()
				keys = keys[1:]
			}
			if watch != nil {
				watch(next, w.sender.Stats())
			}
			next += 5 * time.Minute
		}
	})
	src := chance.New(1)
	due := time.Duration(0)
	n := uint64(0)
	for due < s.end {
		n++
		due += time.Duration(-math.Log(1-src.For("arrive").Float(n)) * float64(time.Minute) / s.rate(due))
		number := n
		time.Sleep(lanes.Of(instant.Arrival, number).After(time.Now(), time.Until(start.Add(due))))
		id := fmt.Sprintf("m%06d", number)
		body := text(id)
		if src.For("media").Float(number) < s.media {
			body = image(id)
		}
		sent[id] = time.Now()
		clients.Go(func() {
			lane := lanes.Of(instant.Client, number)
			for try := 1; try <= 4; try++ {
				ctx, cancel := context.WithDeadline(context.Background(), lane.Deadline(10*time.Second))
				status, _ := w.post(ctx, id, try, body)
				cancel()
				if status >= 200 && status < 300 {
					mu.Lock()
					taken++
					mu.Unlock()
					return
				}
				lane.Sleep(time.Second)
			}
		})
	}
	clients.Wait()
	for range 600 {
		if w.sender.Stats().Backlog == 0 {
			break
		}
		time.Sleep(time.Minute)
	}
	time.Sleep(2 * time.Minute)
	close(stop)
	aside.Wait()
	out := surgeResult{messages: int(n), taken: taken, stats: w.sender.Stats()}
	var delays []time.Duration
	ids := make([]string, 0, len(sent))
	for id := range sent {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	h := fnv.New64a()
	w.api.mu.Lock()
	defer w.api.mu.Unlock()
	for _, id := range ids {
		c := w.api.accepted[id]
		fmt.Fprint(h, id, len(c))
		if len(c) == 0 {
			out.never++
			continue
		}
		fmt.Fprint(h, c[0].UnixNano())
		out.copies += len(c)
		out.duplicates += len(c) - 1
		delays = append(delays, c[0].Sub(sent[id]))
	}
	out.delivered, out.digest = len(delays), h.Sum64()
	sort.Slice(delays, func(i, j int) bool { return delays[i] < delays[j] })
	if len(delays) > 0 {
		out.p50, out.p99 = delays[len(delays)/2], delays[len(delays)*99/100]
	}
	return out
}

func (r surgeResult) String() string {
	return fmt.Sprintf("messages %d taken %d delivered %d duplicates %d never %d p50 %v p99 %v digest %x", r.messages, r.taken,
		r.delivered, r.duplicates, r.never, r.p50.Round(time.Second), r.p99.Round(time.Second), r.digest)
}

var june6 = surge{
	base: 150, peak: 1100, calm: 30 * time.Minute, ramp: 5 * time.Minute, hold: 90 * time.Minute, end: 450 * time.Minute, media: 0.3,
}

// TestWholeDay replays the whole day; it takes tens of seconds, so only when it is asked for.
func TestWholeDay(t *testing.T) {
	name := os.Getenv("AFTERSHOCK_DAY")
	if name == "" {
		t.SkipNow()
	}
	began := time.Now()
	inBubble(t, func(t *testing.T) {
		cfg := preset(t, name)
		w := newWorld(t, cfg)
		defer w.close()
		var last Stats
		res := june6.run(t, w, func(at time.Duration, st Stats) {
			if int(at.Minutes())%15 != 0 {
				return
			}
			min := 15.0
			t.Logf("%6v rate %4.0f backlog %6d oldest %8v rep %d/%d want %d sends/min %5.0f to/min %4.0f 503/min %5.0f (front %5.0f) creates/min %5.0f cto %d media %d dead %d exp %d dup %d p50 %v mem %dM util %.2f",
				at, june6.rate(at), st.Backlog, st.OldestAge.Round(time.Second), st.WhatsApp.Ready, st.WhatsApp.Starting, st.WhatsApp.Wanted,
				float64(st.Sends-last.Sends)/min, float64(st.SendTimeouts-last.SendTimeouts)/min, float64(st.Send503-last.Send503)/min, float64(st.Front503-last.Front503-st.Send503+last.Send503)/min,
				float64(st.Creates-last.Creates)/min, st.CreateTimeouts-last.CreateTimeouts, st.MediaErrors-last.MediaErrors, st.Dead, st.Expired, st.Duplicates, st.SendP50.Round(time.Millisecond), st.WhatsApp.Memory>>20,
				(st.WhatsApp.Used-last.WhatsApp.Used).Minutes()/min/float64(max(st.WhatsApp.Cores, 1)))
			last = st
		}, map[time.Duration]func(){
			3 * time.Hour:                func() { _ = w.sender.Apply([]byte("whatsapp: {replicas: {max: 16}}")) },
			6*time.Hour + 55*time.Minute: func() { _ = w.sender.Apply([]byte("drafts: {rate_limit: 300/min}")) },
		})
		t.Log(res)
		t.Logf("%+v", res.stats)
	})
	_ = began
}

// small is a surge of minutes that overloads two replicas.
var small = surge{base: 60, peak: 900, calm: 2 * time.Minute, ramp: time.Minute, hold: 10 * time.Minute, end: 25 * time.Minute, media: 0.3}

func replaySmall(t *testing.T, name string, more string) (out surgeResult) {
	inBubble(t, func(t *testing.T) {
		cfg, err := ParseConfig("test", []byte("preset: "+name+"\n"+more))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, cfg)
		w.api.life = 8 * time.Minute
		defer w.close()
		out = small.run(t, w, nil, nil)
	})
	return out
}

func TestSameSeedSameRun(t *testing.T) {
	const tight = "whatsapp: {replicas: {min: 2, max: 2, start: 30s}}\ndrafts: {replicas: {count: 1, cores: 1}, work: {create: 80ms}}"
	for _, name := range Presets() {
		first := replaySmall(t, name, tight)
		if second := replaySmall(t, name, tight); first.digest != second.digest {
			t.Errorf("%s: two runs of one seed differ:\n%v\n%v", name, first, second)
		}
		t.Logf("%-9s %v", name, first)
	}
}

func TestIncidentEmergesAndHardenedSurvives(t *testing.T) {
	in := replaySmall(t, "incident", "drafts: {rate_limit: 200/min}\nwhatsapp: {replicas: {min: 2, max: 2}}")
	if in.duplicates == 0 || in.never == 0 || in.stats.MediaErrors == 0 {
		t.Errorf("the incident did not emerge: %v, media errors %d", in, in.stats.MediaErrors)
	}
	hard := replaySmall(t, "hardened", "whatsapp: {replicas: {min: 2, max: 24}}")
	if shed := hard.messages - hard.taken; hard.duplicates != 0 || hard.delivered != hard.taken || shed > hard.messages/1000 {
		t.Errorf("hardened did not survive: %v", hard)
	}
	if a := float64(hard.stats.Sends) / float64(hard.messages); a > 1.1 {
		t.Errorf("hardened amplified %.2f times, want at most 1.1", a)
	}
	if hard.p99 > 5*time.Minute {
		t.Errorf("hardened delayed its 99th percentile by %v", hard.p99)
	}
}

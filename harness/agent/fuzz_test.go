package agent

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// FuzzOrder: whatever an order says, an agent answers it, and one without flags prepares nothing that reads a file, a
// secret or a host.
func FuzzOrder(f *testing.F) {
	june6, err := scenarios.Open("smoke", scenarios.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for _, o := range []Order{
		{Run: "r1", Shards: 2, Scenario: june6.YAML(), Aim: harness.Aim{URL: "http://127.0.0.1:1", Hits: 90}},
		{Run: "r1", Shards: 0, Scenario: june6.YAML()},
		{Run: "r 1", Shards: 1, Scenario: []byte("schema: aftershock/scenario/v1\n")},
		{Run: "r1", Shard: 1, Shards: 3, Trace: "/etc/passwd", Compress: 1e300, Scenario: []byte("name: x\nload: {phases: [{name: a, for: 1m, rate: 60/min}]}\n")},
	} {
		b, err := json.Marshal(o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"run":"x","shards":1,"scenario":"bmFtZTogeA=="`))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &Worker{ID: "a", Say: func(string) {}}
		w.Load = w.share
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		p := w.order(ctx, data)
		if p.Error == "" && w.job == nil {
			t.Fatal("an order that was neither taken nor refused")
		}
		if p.Error == "" && p.Hits > 0 {
			o, _ := decode[Order](data)
			if o.URL != "" && !strings.Contains(o.URL, "{{") || o.Trace != "" {
				t.Fatalf("an agent without flags took %+v", o)
			}
		}
		if w.job != nil {
			w.job.cancel()
		}
	})
}

// FuzzFinish: an agent's last word is refused or taken, and never costs more than the histograms of a run.
func FuzzFinish(f *testing.F) {
	h := NewHistograms()
	h.Add(harness.Hit{Tries: []harness.Try{{At: time.Second, Done: 2 * time.Second}}}, 0)
	encoded, err := h.encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range encoded {
		f.Add(b)
	}
	f.Add([]byte("\x1c\x84\x93\x14\x00\x00\x00\x01x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		other, err := decodeHistograms([][]byte{b, b, b})
		if err != nil {
			return
		}
		if err := NewHistograms().merge(other); err == nil && other.Response.TotalCount() < 0 {
			t.Fatal("less than nothing was counted")
		}
	})
}

// TestBombsAreNotInflated: what inflates to more than any histogram does is refused before the library inflates it.
func TestBombsAreNotInflated(t *testing.T) {
	var b bytes.Buffer
	b.Write([]byte{0x1c, 0x84, 0x93, 0x14, 0, 0, 0, 0})
	z := zlib.NewWriter(&b)
	if _, err := z.Write(make([]byte, 64<<20)); err != nil {
		t.Fatal(err)
	}
	z.Close()
	bomb := []byte(base64.StdEncoding.EncodeToString(b.Bytes()))
	if _, err := decodeHistograms([][]byte{bomb, bomb, bomb}); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Error(err)
	}
	h, err := NewHistograms().encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeHistograms(h); err != nil {
		t.Error(err)
	}
}

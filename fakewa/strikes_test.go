package fakewa

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A fault strikes a request only when it changes something for it, and what it did is known after it has ended.
func TestStrikes(t *testing.T) {
	for fault, want := range map[string]Strikes{
		"{kind: error, code: 131000}":                                    {4, 4},
		"{kind: error, code: 131000, share: 0%}":                         {4, 0},
		"{kind: error, code: 131000, type: image}":                       {0, 0},
		"{kind: error, code: 131000, to: '1999*'}":                       {0, 0},
		"{kind: error, code: 131000, every: 3}":                          {4, 1},
		"{kind: latency, add: 1s}":                                       {4, 4},
		"{kind: latency, samples: [0s]}":                                 {4, 0},
		"{kind: throttle, throughput: 2/s}":                              {4, 2},
		"{kind: throttle, throughput: 1000/s}":                           {4, 0},
		"{kind: media-expiry, upload_life: 1s}":                          {4, 0},
		"{kind: error, code: 131000, for: 1h}":                           {4, 4},
		"{kind: reply-lost, how: reset, where: 'upload,download'}":       {0, 0},
		"{kind: error, code: 131000, burst: {for: 10ms, every: 10000h}}": {0, 0},
	} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{}, Wiring{})
				if err := s.Apply("f", []byte(fault)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				for i := range 4 {
					call(t, s, "POST", "/v24.0/1/messages", "application/json", text(fmt.Sprintf("1555000000%d", i), "hello", ""))
				}
				if got := s.Summary().Faults["f"]; got != want {
					t.Errorf("in force: %+v, want %+v", got, want)
				}
				time.Sleep(2 * time.Hour) // one ends by itself
				if err := s.Clear("f"); (err != nil) != (fault == "{kind: error, code: 131000, for: 1h}") {
					t.Fatal(err)
				}
				if got := s.Summary().Faults["f"]; got != want {
					t.Errorf("over: %+v, want %+v", got, want)
				}
			})
		})
	}
}

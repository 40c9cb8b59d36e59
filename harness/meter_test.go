package harness

import (
	"testing"
	"time"
)

func TestMissedReadingsAreNotMadeUpFor(t *testing.T) {
	last := time.Unix(100, 0)
	for after, want := range map[time.Duration]time.Duration{
		0:                       10 * time.Second,
		9 * time.Second:         10 * time.Second,
		11 * time.Second:        10 * time.Second, // a little late: it is taken at once
		25 * time.Second:        20 * time.Second,
		999 * time.Second:       990 * time.Second,
		1000*time.Second + 1000: 1000 * time.Second,
	} {
		if got := following(last, last.Add(after), 10*time.Second).Sub(last); got != want {
			t.Errorf("the reading after one that took %v is due after %v, want %v", after, got, want)
		}
	}
}

package reports

import (
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// What is said of a copy of someone else's sender is what that sender could know: of a send still under way, of one that was answered.
func TestSentAgain(t *testing.T) {
	api := func(at, done time.Duration, status int) record.Attempt {
		return record.Attempt{Hop: "api", At: at, Done: done, Status: status, Taken: true}
	}
	unknown := record.CauseOf(record.Unknown)
	for _, c := range []struct {
		trail []record.Attempt
		want  string
	}{
		{[]record.Attempt{api(0, 3*time.Second, 200), api(2*time.Second, 4*time.Second, 200)}, "sent again while the send before was still under way"},
		{[]record.Attempt{api(0, 3*time.Second, 200), {Hop: "api", At: 3 * time.Second, Status: 429}, api(5*time.Second, 6*time.Second, 200)}, "sent again after the send before had been answered as accepted"},
		{[]record.Attempt{api(0, time.Second, 0), api(5*time.Second, 6*time.Second, 200)}, unknown.Plain},
		{[]record.Attempt{api(0, time.Second, 200)}, unknown.Plain},
	} {
		if got := copyDetail(unknown, 1, origins(c.trail), c.trail); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

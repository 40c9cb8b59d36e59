package harness

import (
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// TestAstray: what went to somebody else, or says something else, is told; the same thing written differently is not.
func TestAstray(t *testing.T) {
	offered := message{number: 7, to: "15550000007", kind: "text"}
	for _, c := range []struct {
		name string
		e    Entry
		want string
	}{
		{"as offered", Entry{To: "15550000007", Type: "text", Text: words + " [ref:m000007]"}, ""},
		{"wrapped", Entry{To: "15550000007", Type: "text", Text: "Hello!\n  Your order is\ton its WAY [ref:m000007]. Bye"}, ""},
		{"to another", Entry{To: "4915112345678", Type: "text", Text: words + " [ref:m000007]"}, "went to another recipient"},
		{"cut but for its marker", Entry{To: "15550000007", Type: "text", Text: "[ref:m000007]"}, "went out with another text"},
		{"half of it", Entry{To: "15550000007", Type: "text", Text: "Your order [ref:m000007]"}, "went out with another text"},
		{"a caption may be short", Entry{To: "15550000007", Type: "image", Text: "[ref:m000007]"}, ""},
		{"a ledger that does not tell", Entry{}, ""},
	} {
		if got := astray(c.e, offered); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	for _, same := range [][2]string{{"+1 555 000-0007", "15550000007"}, {"5215512345678", "525512345678"}, {"5511912345678", "551112345678"}} {
		if !samePhone(same[0], same[1]) {
			t.Errorf("%v are two numbers", same)
		}
	}
	for _, other := range [][2]string{{"15550000008", "15550000007"}, {"5215512345679", "525512345678"}, {"495512345678", "525512345678"}} {
		if samePhone(other[0], other[1]) {
			t.Errorf("%v are one number", other)
		}
	}
}

// TestMisdeliveredIsAnOutcome: it counts even when another copy arrived.
func TestMisdeliveredIsAnOutcome(t *testing.T) {
	start := time.Now()
	tab := newTable(start, make([]time.Duration, 1))
	tab.offered = func(n uint64) message { return message{number: n, to: "15550000001", kind: "text"} }
	tab.rows[0].fired = true
	for i, to := range []string{"15550000001", "15550000002"} {
		tab.fold(Entry{Message: "m000001", Callback: "m000001-1." + string(rune('1'+i)), To: to, Type: "text", Text: words, Accepted: true, At: start})
	}
	tab.fold(Entry{Message: "m000001", Status: "delivered", At: start.Add(time.Second)})
	if o, why := outcome(&tab.rows[0], verdict{}, false, true); o != record.Misdelivered || why != "went to another recipient" {
		t.Errorf("%s, %s", o, why)
	}
}

// TestRedeliveryIsKnownByWhatTheSenderLearnt: a draft whose send the sender knew of was sent again by the queue, not for
// want of an answer; a copy that the API made by itself is the provider's.
func TestRedeliveryIsKnownByWhatTheSenderLearnt(t *testing.T) {
	send := func(n int, status int, err string) record.Attempt {
		return record.Attempt{Message: "m000001", Hop: "send", Draft: "m000001.1-1", Number: n, Status: status, Error: err}
	}
	copyOf := func(callback string, provider bool) Entry {
		return Entry{Message: "m000001", Callback: callback, Accepted: true, Provider: provider, At: time.Now()}
	}
	for _, c := range []struct {
		name string
		do   func(tab *table)
		want string
	}{
		{"its answer was lost", func(tab *table) {
			tab.fold(copyOf("m000001.1-1.1", false))
			tab.hear(send(1, 0, "timeout"))
			tab.fold(copyOf("m000001.1-1.2", false))
			tab.hear(send(2, 200, ""))
		}, record.SendRetry},
		{"the lease ran out first", func(tab *table) {
			tab.fold(copyOf("m000001.1-1.1", false))
			tab.fold(copyOf("m000001.1-1.2", false))
			tab.hear(send(1, 200, ""))
		}, record.Redelivery},
		{"the answer was read before the ledger", func(tab *table) {
			tab.hear(send(1, 200, ""))
			tab.fold(copyOf("m000001.1-1.1", false))
			tab.fold(copyOf("m000001.1-1.2", false))
		}, record.Redelivery},
		{"the API did it", func(tab *table) {
			tab.fold(copyOf("m000001.1-1.1", false))
			tab.fold(copyOf("m000001.1-1.1", true))
		}, record.Provider},
	} {
		tab := newTable(time.Now(), make([]time.Duration, 1))
		c.do(tab)
		if got := tab.rows[0].reasons(); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

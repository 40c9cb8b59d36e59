package drafts

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// TestStateMachine walks every pair of states: what finished is never unfinished again, and the API's word counts most.
func TestStateMachine(t *testing.T) {
	for from := range states {
		for to := range states {
			can := from.CanBecome(to)
			if from.Taken() && can && !to.Taken() && to != Failed {
				t.Errorf("%v, which the API took, may become %v", from, to)
			}
			if can && from.Finished() && !to.Finished() && to != Queued {
				t.Errorf("finished %v may become %v", from, to)
			}
			if from != to && to.rank() > from.rank() && to.Taken() && from.Taken() && !can {
				t.Errorf("%v cannot become the better %v", from, to)
			}
		}
	}
	if Queued.CanBecome(Sending) {
		t.Error("a draft may be sent without being claimed")
	}
}

func TestBestDraftTellsHowTheMessageEnded(t *testing.T) {
	b := newBooks()
	now := time.Now()
	one := b.add(&wire.Draft{ID: "m1.1-1"}, now, past{}, false)
	two := b.add(&wire.Draft{ID: "m1.2-1"}, now, past{}, false)
	b.finish(one, Expired, "media", true)
	if state, _, final, known := b.state("m1"); state != "queued" || final || !known {
		t.Errorf("one of two expired: %s, final %v", state, final)
	}
	if first := b.finish(two, Accepted, "", true); !first {
		t.Error("the first accepted draft is not the first")
	}
	if state, _, final, _ := b.state("m1"); state != "accepted" || !final {
		t.Errorf("the other one accepted: %s, final %v", state, final)
	}
	if _, _, _, known := b.state("m2"); known {
		t.Error("a stranger is known")
	}
}

func TestGenerationsKeepWhatIsHeld(t *testing.T) {
	b := newBooks()
	now := time.Now()
	held := b.add(&wire.Draft{ID: "held-1"}, now, past{}, false)
	b.finish(b.add(&wire.Draft{ID: "done-1"}, now, past{}, false), Accepted, "", true)
	for i := range 4 {
		b.turn(now.Add(time.Duration(i)*25*time.Hour), 24*time.Hour)
	}
	if _, _, _, known := b.state("done"); known {
		t.Error("a message that finished long ago is remembered")
	}
	if _, _, _, known := b.state("held"); !known {
		t.Error("a held message was forgotten")
	}
	b.finish(held, Delivered, "", true)
}

// TestBooksAreSmall holds the memory of a held draft and of a finished message to what was promised.
func TestBooksAreSmall(t *testing.T) {
	const n = 200_000
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	b := newBooks()
	now := time.Now()
	empty := heap()
	list := make([]*draft, n)
	for i := range list {
		list[i] = b.add(&wire.Draft{ID: fmt.Sprintf("m%06d-1", i), To: "15551234567", Class: "bulk"}, now, past{}, true)
	}
	held := heap()
	for i, d := range list {
		b.finish(d, Accepted, "", true)
		list[i] = nil
	}
	b.open, b.lines = map[string]*draft{}, map[uint64]line{} // as a fresh generation has them
	done := heap()
	t.Logf("%d bytes a held draft, %d bytes a finished message", (held-empty)/n, (done-empty)/n)
	if per := (held - empty) / n; per > 500 {
		t.Errorf("a held draft takes %d bytes of the books, want at most 500", per)
	}
	if per := (done - empty) / n; per > 100 {
		t.Errorf("a finished message takes %d bytes, want at most 100", per)
	}
	runtime.KeepAlive(b)
	runtime.KeepAlive(list)
}

func TestEnvelope(t *testing.T) {
	p := past{attempts: 3, counted: 2, unknowns: 1, delivery: 7, held: true}
	got, body, err := unpack(pack(p, []byte(`{"id":"m1-1"}`)))
	if err != nil || got != p || string(body) != `{"id":"m1-1"}` {
		t.Errorf("%+v %s %v", got, body, err)
	}
	for _, bad := range []string{"", "{}", "1 2 3\n{}", "1 2 3 4 5 6\n{}", "a b c d e\n{}"} {
		if _, _, err := unpack([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

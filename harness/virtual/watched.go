package virtual

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// Watched calls f as Run does, for code that is not ours: where Run would panic because goroutines were left behind, or
// would wait for ever because a goroutine waits for something outside the bubble, it returns a *Stuck that names them.
// patience is how long, on the wall's clock, the same goroutines may hold virtual time up. beat is counted up by f now and then;
// as long as it is, nobody looks. After a *Stuck f may still be running.
func Watched(start time.Time, patience time.Duration, beat *atomic.Int64, f func()) error {
	var bubble atomic.Pointer[string]
	ended := make(chan any, 1)
	go func() {
		defer func() { ended <- recover() }()
		Run(start, func() {
			mine := ownBubble()
			bubble.Store(&mine)
			f()
		})
	}()
	w := watchman{beat: beat}
	for {
		select {
		case p := <-ended:
			return w.ended(p, bubble.Load())
		case <-time.After(patience / enough):
		}
		if mine := bubble.Load(); mine != nil {
			if held := w.look(*mine); held != nil {
				return held
			}
		}
	}
}

// watchman remembers what held the bubble up at the last look.
type watchman struct {
	beat  *atomic.Int64
	count int64
	held  string
	looks int // that saw the same; not a time, so that a machine that slept proves nothing
}

// enough is how many looks have to see the same.
const enough = 5

// look returns a *Stuck when enough looks have seen the same goroutines hold the bubble up.
func (w *watchman) look(bubble string) error {
	if now := w.beat.Load(); now != w.count {
		w.count, w.held = now, ""
		return nil
	}
	waiting, moving := holdUp(stacks(), bubble)
	print := fmt.Sprint(waiting)
	if outside(waiting) { // which a resolver, say, does on one goroutine after another
		print = "outside"
	}
	switch {
	case moving || len(waiting) == 0:
		w.held = ""
	case print != w.held:
		w.held, w.looks = print, 0
	default:
		if w.looks++; w.looks >= enough {
			return &Stuck{Waiting: waiting}
		}
	}
	return nil
}

// ended says why the bubble's main goroutine ended: nil, or what synctest panicked with, and who is left.
func (w *watchman) ended(p any, bubble *string) error {
	if p == nil {
		return nil
	}
	if bubble != nil {
		if left := inBubble(stacks(), *bubble); len(left) > 0 {
			return &Stuck{Waiting: left, Left: true}
		}
	}
	return fmt.Errorf("virtual time: %v", p)
}

// maxStacks bounds what is read of all goroutines' stacks.
const maxStacks = 64 << 20

func stacks() []byte {
	for size := 1 << 20; ; size *= 4 {
		b := make([]byte, size)
		if n := runtime.Stack(b, true); n < size || size >= maxStacks {
			return b[:n]
		}
	}
}

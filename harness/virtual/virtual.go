// Package virtual is virtual time and an in-memory network: real services run in it unchanged, and hours pass in
// seconds. It is the only package that imports testing, because testing/synctest is where Go keeps its fake clock.
package virtual

import (
	"testing"
	"testing/synctest"
	"time"
)

// Run calls f in a bubble whose clock first moves to start (when start lies after 2000-01-01, where every bubble
// begins) and then only while every goroutine of the bubble waits. It returns when f and all goroutines that f started
// have ended; a goroutine that waits for ever is a panic that names it.
//
// Inside f: no sockets, no waiting while a mutex is held, no channels made outside (but see Throttle).
func Run(start time.Time, f func()) {
	synctest.Test(new(testing.T), func(*testing.T) {
		if d := time.Until(start); d > 0 {
			time.Sleep(d)
		}
		f()
	})
}

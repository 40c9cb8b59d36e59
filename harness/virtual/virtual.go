// Package virtual is virtual time and an in-memory network: real services run in it unchanged, and hours pass in
// seconds. It is the only package that imports testing, because testing/synctest is where Go keeps its fake clock.
package virtual

import (
	"context"
	"net"
	"sync"
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
	resolver.Do(makeResolver)
	synctest.Test(new(testing.T), func(*testing.T) {
		if d := time.Until(start); d > 0 {
			time.Sleep(d)
		}
		f()
	})
}

// resolver guards what package net makes at its first look-up of a name. Made in a bubble it would be of that bubble, and
// the first look-up in the next one would end the process: clients of databases and queues look names up, asked or not.
var resolver sync.Once

func makeResolver() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = net.DefaultResolver.LookupNetIP(ctx, "ip", "localhost") // what it finds does not matter
}

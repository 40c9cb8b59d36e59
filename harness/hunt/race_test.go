//go:build race

package hunt_test

// raced says that the race detector shuffles goroutines: what happens at one and the same instant, when a process dies, comes in
// another order each time, and the digest with it. make hunt runs the same tests without it.
const raced = true

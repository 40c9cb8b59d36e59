// Package local is the whole system in this process (virtual or on loopback) or as child processes: the fake, the
// reference sender and the media store, wired together for harness. It translates between fakewa and harness, which
// know nothing of each other, and can be used from a Go test.
package local

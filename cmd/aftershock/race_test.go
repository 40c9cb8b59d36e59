//go:build race

package main

// raced says that the race detector shuffles goroutines: a process that dies leaves what happens at that instant in any order.
const raced = true

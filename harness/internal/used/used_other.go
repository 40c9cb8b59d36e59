//go:build !linux

package used

import "time"

// By is not known without /proc.
func By(int) (cpu time.Duration, memory int64, err error) { return 0, 0, nil }

// Group is not known without /proc.
func Group(int) (cpu time.Duration, memory int64, err error) { return 0, 0, nil }

// Members are not known without /proc.
func Members(int) []int { return nil }

// Machine is not known without /proc: it has no cores.
func Machine() (busy time.Duration, cores int, err error) { return 0, 0, nil }

// Stopped is taken for granted.
func Stopped(int) bool { return true }

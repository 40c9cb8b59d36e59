// Package policy is every decision of the sender as a pure function: (settings, state, now, chance, event) → decision.
// There is no goroutine, clock, lock or socket in it; the services feed it events and do as it says.
package policy

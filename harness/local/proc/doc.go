// Package proc runs the system as child processes of this program on loopback: the fake, Drafts, WhatsApp replicas and
// NATS, each of them this very binary with other arguments. Build is where to start.
package proc

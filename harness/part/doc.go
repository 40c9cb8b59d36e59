// Package part is one part of the system as a program of its own: the fake, Drafts, a WhatsApp replica, the gateway
// before the replicas, or a NATS node. Run is the whole of such a program; harness/remote builds the system of them.
package part

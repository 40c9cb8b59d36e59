// Package stores replays senders that keep their queue in Redis and in NATS: its tests show how a store in memory is wired into
// virtual time. See docs/go-sender.md.
package stores

// Package tap is a dialer for tests that counts what is written to its connections.
package tap

import (
	"context"
	"net"
	"sync/atomic"
)

// Dialer counts the writes to all connections that it made.
type Dialer struct{ Writes atomic.Int64 }

// DialContext is for http.Transport.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return conn{c, &d.Writes}, nil
}

type conn struct {
	net.Conn
	writes *atomic.Int64
}

// Write implements net.Conn.
func (c conn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

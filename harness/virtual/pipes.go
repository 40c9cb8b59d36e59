package virtual

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Pipes is a network of connections in memory, for libraries that dial for themselves: a database driver, a client of a
// queue. What listens and what dials both live in the bubble. The zero Pipes has no listeners.
type Pipes struct {
	mu        sync.Mutex
	listeners map[string]*pipeListener
}

// Listen takes connections at an address, which is any text, such as "redis:6379".
func (p *Pipes) Listen(address string) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listeners[address] != nil {
		return nil, fmt.Errorf("listen %s: the address is taken", address)
	}
	l := &pipeListener{address: pipeAddr(address), pipes: p, conns: make(chan net.Conn), closed: make(chan struct{})}
	if p.listeners == nil {
		p.listeners = map[string]*pipeListener{}
	}
	p.listeners[address] = l
	return l, nil
}

// DialContext connects to a listener; its signature is that of net.Dialer.
func (p *Pipes) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	l := p.listeners[address]
	p.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: pipeAddr(address), Err: fmt.Errorf("nobody listens in memory at %s", address)}
	}
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
	case <-ctx.Done():
	}
	_ = ours.Close()   // nobody has it
	_ = theirs.Close() // nobody has it
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, &net.OpError{Op: "dial", Net: network, Addr: pipeAddr(address), Err: net.ErrClosed}
}

type pipeListener struct {
	address pipeAddr
	pipes   *Pipes
	conns   chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.pipes.mu.Lock()
		defer l.pipes.mu.Unlock()
		delete(l.pipes.listeners, string(l.address))
	})
	return nil
}

func (l *pipeListener) Addr() net.Addr { return l.address }

type pipeAddr string

func (pipeAddr) Network() string  { return "memory" }
func (a pipeAddr) String() string { return string(a) }

package fakewa

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// mostWriting is how long a client may take to read a file.
const mostWriting = 10 * time.Minute

// Serving bounds what a connection may cost: headers, reading, idling. Answers may take as long as a fault wants.
func Serving(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10}
}

// Listener wraps a listener on TCP so that nobody listens while a refuse-connections fault is in force that is narrowed to
// nothing but a time: whoever connects is refused before a byte is written, and connections that were kept are broken
// unless a request is on its way. A narrowed fault has to read the request first, and then breaks the connection.
func (s *Server) Listener(ln net.Listener) net.Listener {
	d := &door{s: s, at: ln.Addr(), ln: ln, kept: map[*keptConn]struct{}{}, changed: make(chan struct{}), closed: make(chan struct{})}
	s.doors.add(d)
	d.watching.Go(d.watch)
	return d
}

// Refuses reports whether a connection that somebody makes now is refused. A network in memory asks before it hands a
// request over; each that is refused counts as one that the fault struck.
func (s *Server) Refuses() bool { return s.refusal(time.Now()) != nil }

// refusal finds the fault that refuses connections, and counts what it struck.
func (s *Server) refusal(now time.Time) *armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.core.faults.refusing(now)
	if a != nil {
		a.met++
		a.hits++
	}
	return a
}

// refusing finds the fault that refuses connections now.
func (s *faultSet) refusing(now time.Time) *armed {
	s.expire(now)
	for _, a := range s.list {
		f, ok := a.fault.(*refuseFault)
		if ok && a.reach.all && f.Number == "" && f.To == "" && f.Type == "" && f.Share == nil && f.Every == 0 && f.Until == 0 && f.First == 0 &&
			(f.Burst == nil || now.Sub(a.from)%f.Burst.Every < f.Burst.For) {
			return a
		}
	}
	return nil
}

// doors are the listeners of a server that connections are refused at.
type doors struct {
	mu   sync.Mutex
	list map[*door]struct{}
}

func (s *doors) add(d *door) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil {
		s.list = map[*door]struct{}{}
	}
	s.list[d] = struct{}{}
}

func (s *doors) remove(d *door) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.list, d)
}

// follow shuts and opens the doors after faults have changed.
func (s *Server) follow() {
	s.doors.mu.Lock()
	defer s.doors.mu.Unlock()
	for d := range s.doors.list {
		d.follow()
	}
}

// door is a listener that is not there while connections are refused.
type door struct {
	s        *Server
	at       net.Addr
	watching sync.WaitGroup
	closed   chan struct{} // by Close

	mu      sync.Mutex
	ln      net.Listener // nil while connections are refused
	kept    map[*keptConn]struct{}
	changed chan struct{} // closed, and made anew, when ln changes
	done    bool
}

// lookEvery is how often a door looks whether a fault has ended, or a burst begun, by its time.
const lookEvery = 10 * time.Millisecond

func (d *door) watch() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.follow()
		case <-d.closed:
			return
		}
	}
}

// follow shuts the door when a fault refuses connections, and opens it when none does. Nobody can count who was refused:
// the fault has struck once each time the door is shut.
func (d *door) follow() {
	d.s.mu.Lock()
	by := d.s.core.faults.refusing(time.Now())
	d.mu.Lock()
	shut := by != nil && d.ln != nil && !d.done
	if shut {
		by.met++
		by.hits++
	}
	d.s.mu.Unlock()
	idle := d.turn(by, shut)
	d.mu.Unlock()
	for _, c := range idle {
		reset(c)
	}
}

// turn shuts or opens the door, and returns the connections that end with that. The door is locked.
func (d *door) turn(by *armed, shut bool) (idle []*keptConn) {
	switch {
	case shut:
		_ = d.ln.Close() // whoever waits in Accept waits for the next one
		d.ln = nil
		for c := range d.kept {
			if !c.busy.Load() {
				idle = append(idle, c)
			}
		}
	case by == nil && d.ln == nil && !d.done:
		ln, err := net.Listen(d.at.Network(), d.at.String())
		if err != nil {
			return nil // it is tried again at the next look
		}
		d.ln = ln
	default:
		return nil
	}
	close(d.changed)
	d.changed = make(chan struct{})
	return idle
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	for {
		d.mu.Lock()
		ln, changed, done := d.ln, d.changed, d.done
		d.mu.Unlock()
		if done {
			return nil, net.ErrClosed
		}
		if ln == nil {
			select {
			case <-changed:
			case <-d.closed:
			}
			continue
		}
		c, err := ln.Accept()
		switch {
		case err == nil:
			return d.keep(c), nil
		case !errors.Is(err, net.ErrClosed):
			return nil, err
		}
	}
}

// keep notes a connection, so that it can be broken.
func (d *door) keep(c net.Conn) net.Conn {
	k := &keptConn{Conn: c, door: d}
	d.mu.Lock()
	d.kept[k] = struct{}{}
	shut := d.ln == nil
	d.mu.Unlock()
	if shut { // it was made at the very moment
		reset(k)
	}
	return k
}

// Close implements net.Listener.
func (d *door) Close() error {
	d.s.doors.remove(d)
	d.mu.Lock()
	if d.done {
		d.mu.Unlock()
		return net.ErrClosed
	}
	d.done = true
	var err error
	if d.ln != nil {
		err = d.ln.Close()
	}
	close(d.closed)
	d.mu.Unlock()
	d.watching.Wait()
	return err
}

// Addr implements net.Listener.
func (d *door) Addr() net.Addr { return d.at }

// keptConn is a connection of a door. It is busy from the first byte that the client writes to the first that it is
// answered.
type keptConn struct {
	net.Conn
	door *door
	busy atomic.Bool
}

// Read implements net.Conn.
func (c *keptConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.busy.Store(true)
	}
	return n, err
}

// Write implements net.Conn.
func (c *keptConn) Write(b []byte) (int, error) {
	c.busy.Store(false)
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *keptConn) Close() error {
	c.door.mu.Lock()
	delete(c.door.kept, c)
	c.door.mu.Unlock()
	return c.Conn.Close()
}

// reset closes a connection with a reset instead of an orderly end.
func reset(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	below := c
	if k, ok := c.(*keptConn); ok {
		below = k.Conn
	}
	if t, ok := below.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}

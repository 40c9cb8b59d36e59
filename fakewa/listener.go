package fakewa

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// mostWriting is how long a client may take to read a file.
const mostWriting = 10 * time.Minute

// Serving bounds what a connection may cost: headers, reading, idling. Answers may take as long as a fault wants.
func Serving(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10}
}

// Listener wraps a listener so that connections are reset as soon as they are made while a refuse-connections fault
// is in force that is narrowed to nothing but a time. A narrowed one has to read the request first, and then breaks
// the connection.
func (s *Server) Listener(ln net.Listener) net.Listener { return refusing{ln, s} }

type refusing struct {
	net.Listener
	s *Server
}

// Accept implements net.Listener.
func (l refusing) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || !l.s.refuses(time.Now()) {
			return c, err
		}
		reset(c)
	}
}

// reset closes a connection with a reset instead of an orderly end.
func reset(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}

func (s *Server) refuses(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.core.faults.expire(now)
	for _, a := range s.core.faults.list {
		f, ok := a.fault.(*refuseFault)
		if ok && a.reach.all && f.Number == "" && f.To == "" && f.Type == "" && f.Share == nil && f.Every == 0 && f.Until == 0 && f.First == 0 &&
			(f.Burst == nil || now.Sub(a.from)%f.Burst.Every < f.Burst.For) {
			a.met++
			a.hits++
			return true
		}
	}
	return false
}

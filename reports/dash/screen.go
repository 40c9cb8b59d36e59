package dash

import (
	"io"
	"sync"
	"time"
)

// screen paints frames on a terminal from a goroutine of its own. A terminal that takes its time skips frames; it
// never makes keys or the stream wait.
type screen struct {
	out    io.Writer
	color  Color
	budget int // bytes a second

	frames chan shot
	extra  chan string // sequences that are not part of the picture: a bell, the clipboard
	stop   chan struct{}
	done   sync.WaitGroup

	mu      sync.Mutex
	err     error
	painted int
	sent    int
}

// shot is a frame to paint; an urgent one answers a key and does not wait for the budget.
type shot struct {
	f      *frame
	urgent bool
}

// burstBytes is what may be sent at once before the budget counts: a few whole screens.
const burstBytes = 48 << 10

func newScreen(out io.Writer, caps Capabilities) *screen {
	return &screen{out: out, color: caps.Color, budget: caps.Budget,
		frames: make(chan shot, 1), extra: make(chan string, 8), stop: make(chan struct{})}
}

// open switches to the alternate screen and begins painting.
func (s *screen) open() {
	s.write([]byte("\x1b[?1049h\x1b[?25l\x1b[0m\x1b[2J"))
	s.done.Go(s.loop)
}

// close stops painting and gives the terminal back.
func (s *screen) close() error {
	close(s.stop)
	s.done.Wait()
	s.write([]byte("\x1b[0m\x1b[2J\x1b[H\x1b[?25h\x1b[?1049l")) // cleared: not every terminal has a screen to go back to
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// show hands over a frame, in place of one that was not painted yet. It never waits. Only one goroutine may call it.
func (s *screen) show(f *frame, urgent bool) {
	for {
		select {
		case s.frames <- shot{f, urgent}:
			return
		default:
		}
		select {
		case old := <-s.frames:
			urgent = urgent || old.urgent
		default:
		}
	}
}

// say hands over a sequence; it is dropped when the terminal is far behind.
func (s *screen) say(seq string) {
	select {
	case s.extra <- seq:
	default:
	}
}

func (s *screen) loop() {
	var prev *frame
	credit, last := float64(burstBytes), time.Now()
	for {
		var next shot
		select {
		case <-s.stop:
			return
		case seq := <-s.extra:
			s.write([]byte(seq))
			continue
		case next = <-s.frames:
		}
		if s.budget > 0 {
			credit = min(credit+time.Since(last).Seconds()*float64(s.budget), burstBytes)
			last = time.Now()
			if credit < 0 && !next.urgent {
				var ok bool
				if next, ok = s.wait(next, time.Duration(-credit/float64(s.budget)*float64(time.Second))); !ok {
					return
				}
			}
		}
		b := diff(prev, next.f, s.color)
		prev = next.f
		if len(b) == 0 {
			continue
		}
		credit -= float64(len(b))
		s.write(b)
	}
}

// wait holds a frame back until the budget allows it, a key asks for one, or the screen closes. Newer frames replace it.
func (s *screen) wait(next shot, d time.Duration) (shot, bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return next, false
		case <-t.C:
			return next, true
		case next = <-s.frames:
			if next.urgent {
				return next, true
			}
		}
	}
}

func (s *screen) write(b []byte) {
	_, err := s.out.Write(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.painted++
	s.sent += len(b)
	if err != nil && s.err == nil {
		s.err = err
	}
}

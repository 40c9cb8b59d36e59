package dash

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Hub lets many viewers watch one run of this process. It holds no history: each viewer reads the record's files at
// its own pace, so a slow one costs the run nothing and misses nothing.
type Hub struct {
	dir       string
	subscribe func() (<-chan struct{}, func())
	judgedBy  <-chan struct{} // closed once the run's documents say what its thresholds came to; nil: they will not

	mu      sync.Mutex
	status  Status
	judged  []record.Event        // every change of a threshold so far
	views   map[int]chan struct{} // told when the status or a threshold changes; made by the viewers, outside any bubble
	nextID  int
	judging *judging // while there are viewers
}

// judging is the goroutine that judges the thresholds for all viewers.
type judging struct {
	stop context.CancelFunc
	done chan struct{}
}

// NewHub returns the hub of the run that writes its record into dir. Subscribe is the record writer's Subscribe; with
// nil the viewers look at the files ten times a second.
func NewHub(dir string, subscribe func() (<-chan struct{}, func())) *Hub {
	return &Hub{dir: dir, subscribe: subscribe, views: map[int]chan struct{}{}}
}

// Await makes viewers stay after the run's end until documented is closed, for the last word on the thresholds: many of
// them are known only to the summary, which is written then. Call it before anybody watches.
func (h *Hub) Await(documented <-chan struct{}) { h.judgedBy = documented }

// Items follows the run until it has ended, and tells of changes of its status in between.
func (h *Hub) Items(ctx context.Context, after string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var changed <-chan struct{}
		if h.subscribe != nil {
			c, cancel := h.subscribe()
			defer cancel()
			changed = c
		}
		news, judge, leave := h.join()
		defer leave()

		// The files are followed on a goroutine of their own: while a run is paused nothing comes from them.
		ctx, cancel := context.WithCancel(ctx)
		type told struct {
			item Item
			err  error
		}
		items := make(chan told)
		var reader sync.WaitGroup
		reader.Go(func() {
			defer close(items)
			for it, err := range follow(ctx, h.dir, after, changed) {
				select {
				case items <- told{it, err}:
				case <-ctx.Done():
					return
				}
			}
		})
		defer reader.Wait()
		defer cancel()

		shown := 0 // changes of thresholds told to this viewer
		status := func() bool {
			s := h.Status()
			return yield(Item{Status: &s, Next: after}, nil)
		}
		thresholds := func() bool {
			for _, e := range h.judgedAfter(shown) {
				shown++
				if !yield(Item{Event: &e, Next: after}, nil) {
					return false
				}
			}
			return true
		}
		var open <-chan struct{} // news, once the viewer knows what it is about
		for {
			select {
			case t, ok := <-items:
				if !ok {
					if ctx.Err() == nil { // the run has ended: wait for the last word on its thresholds
						select {
						case <-judge:
							thresholds()
						case <-ctx.Done():
						}
					}
					return
				}
				if !yield(t.item, t.err) {
					return
				}
				if t.item.Next != "" {
					after = t.item.Next
				}
				if t.item.Info != nil {
					if open = news; !status() {
						return
					}
				}
			case <-open:
				if !status() || !thresholds() {
					return
				}
			}
		}
	}
}

// join registers a viewer. News says that the status or a threshold is worth reading; judged is closed when the
// thresholds will not change any more.
func (h *Hub) join() (news <-chan struct{}, judged <-chan struct{}, leave func()) {
	c := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	id := h.nextID
	h.nextID++
	h.views[id] = c
	if h.judging == nil {
		ctx, stop := context.WithCancel(context.Background())
		j := &judging{stop, make(chan struct{})}
		h.judging, h.judged = j, nil
		go func() {
			defer close(j.done)
			watch(ctx, h.dir, h.judgedBy, func(es []record.Event) { h.addJudged(j, es) })
		}()
	}
	h.status.Viewers = len(h.views)
	h.tell()
	return c, h.judging.done, func() { h.leave(id) }
}

// leave forgets a viewer; the last one ends the judging and waits for it.
func (h *Hub) leave(id int) {
	h.mu.Lock()
	delete(h.views, id)
	h.status.Viewers = len(h.views)
	var last *judging
	if len(h.views) == 0 {
		last, h.judging = h.judging, nil
	}
	h.tell()
	h.mu.Unlock()
	if last != nil {
		last.stop()
		<-last.done
	}
}

func (h *Hub) addJudged(from *judging, es []record.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(es) == 0 || h.judging != from {
		return
	}
	h.judged = append(h.judged, es...)
	h.tell()
}

func (h *Hub) judgedAfter(n int) []record.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.judged[min(n, len(h.judged)):])
}

// tell wakes every viewer; the caller holds mu.
func (h *Hub) tell() {
	for _, c := range h.views {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Status returns the run's status as the viewers see it.
func (h *Hub) Status() Status {
	at := h.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.status
	s.At = at
	return s
}

// SetSpeed tells the viewers the speed a run was started with.
func (h *Hub) SetSpeed(x float64) { h.change(func(s *Status) { s.Speed = x }) }

func (h *Hub) change(f func(*Status)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(&h.status)
	h.tell()
}

// Control returns a control that does what c does and tells the viewers about pause and speed; nil for nil.
func (h *Hub) Control(c Control) Control {
	if c == nil {
		return nil
	}
	return toldControl{c, h}
}

type toldControl struct {
	Control
	hub *Hub
}

// Pause holds the run, or lets it go on.
func (c toldControl) Pause(on bool) error {
	if err := c.Control.Pause(on); err != nil {
		return err
	}
	c.hub.change(func(s *Status) { s.Paused = on })
	return nil
}

// Speed sets how many scenario seconds pass in a second.
func (c toldControl) Speed(x float64) error {
	if err := c.Control.Speed(x); err != nil {
		return err
	}
	c.hub.change(func(s *Status) { s.Speed = x })
	return nil
}

// Report writes the documents of the run so far, when the control can.
func (c toldControl) Report() (string, error) {
	if r, ok := c.Control.(Reporter); ok {
		return r.Report()
	}
	return "", errNoReport
}

package virtual

import (
	"sync"
	"time"
)

// Throttle ties virtual time to the wall: while a goroutine of the bubble blocks on a channel that was made outside,
// virtual time stands still. That is all that pausing and playing at a speed take.
type Throttle struct {
	mu     sync.Mutex
	speed  float64 // virtual seconds a wall second; 0 is as fast as possible
	paused bool
	change chan struct{} // closed and replaced when speed or pause change
	ask    chan time.Duration
	answer chan struct{}
	stop   chan struct{}
	once   sync.Once
	ended  sync.WaitGroup
}

// NewThrottle starts the keeper of wall time. It must be called outside the bubble, and so must Close.
func NewThrottle(speed float64) *Throttle {
	t := &Throttle{
		speed: speed, change: make(chan struct{}),
		ask: make(chan time.Duration), answer: make(chan struct{}), stop: make(chan struct{}),
	}
	t.ended.Go(t.keep)
	return t
}

// Release lets the run pass freely from now on, whatever speed and pause say.
func (t *Throttle) Release() { t.once.Do(func() { close(t.stop) }) }

// Close ends the keeper and releases the run.
func (t *Throttle) Close() {
	t.Release()
	t.ended.Wait()
}

// Speed sets the speed; 0 is as fast as possible.
func (t *Throttle) Speed(s float64) { t.set(func() { t.speed = max(0, s) }) }

// Pause stops or continues virtual time.
func (t *Throttle) Pause(on bool) { t.set(func() { t.paused = on }) }

func (t *Throttle) set(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
	close(t.change)
	t.change = make(chan struct{})
}

func (t *Throttle) state() (speed float64, paused bool, change <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.speed, t.paused, t.change
}

// Step is how often, in virtual time, a run should call Pass: often enough for a smooth picture at the current speed.
func (t *Throttle) Step() time.Duration {
	speed, _, _ := t.state()
	if speed <= 0 {
		return 10 * time.Second
	}
	return max(10*time.Millisecond, min(10*time.Second, time.Duration(speed*float64(40*time.Millisecond))))
}

// Pass is called inside the bubble after step of virtual time has gone by; it returns when the wall has caught up.
func (t *Throttle) Pass(step time.Duration) {
	select {
	case t.ask <- step:
	case <-t.stop:
		return
	}
	select {
	case <-t.answer:
	case <-t.stop:
	}
}

// keep answers each Pass when its wall time has come. Time that was paid for while paused or before a change of speed
// is not owed again.
func (t *Throttle) keep() {
	due := time.Now()
	for {
		var step time.Duration
		select {
		case step = <-t.ask:
		case <-t.stop:
			return
		}
		if !t.hold(&due, step) {
			return
		}
		select {
		case t.answer <- struct{}{}:
		case <-t.stop:
			return
		}
	}
}

func (t *Throttle) hold(due *time.Time, step time.Duration) bool {
	speed, _, _ := t.state()
	if speed > 0 {
		*due = due.Add(time.Duration(float64(step) / speed))
	}
	for {
		speed, paused, change := t.state()
		wait := time.Until(*due)
		if !paused && (speed <= 0 || wait <= 0) {
			if speed <= 0 || wait < -time.Second {
				*due = time.Now()
			}
			return true
		}
		var tick <-chan time.Time
		if !paused {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			tick = timer.C
		}
		select {
		case <-tick:
		case <-change:
			*due = time.Now()
		case <-t.stop:
			return false
		}
	}
}

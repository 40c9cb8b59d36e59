package queue

import "time"

// delay lets a node wait until an instant.
func (q *Memory) delay(n *node, until time.Time) {
	n.state = stateDelayed
	q.delayed++
	q.waits.push(n, until)
	q.arm()
}

// arm sets the timer for the earliest wait. A timer that is set for an earlier instant stays: it fires for nothing and
// sets itself anew.
func (q *Memory) arm() {
	at, ok := q.earliest()
	if !ok || q.closed || (!q.timerAt.IsZero() && !q.timerAt.After(at)) {
		return
	}
	q.disarm()
	now := time.Now()
	q.timerAt = at
	q.fires.Add(1)
	q.timer = time.AfterFunc(q.clock.After(now, at.Sub(now)), q.fire)
}

func (q *Memory) disarm() {
	if !q.timerAt.IsZero() && q.timer.Stop() {
		q.fires.Done()
	}
	q.timerAt = time.Time{}
}

func (q *Memory) earliest() (time.Time, bool) {
	at, ok := q.waits.earliest()
	for _, l := range q.lanes {
		if l.paused && !l.until.IsZero() && (!ok || l.until.Before(at)) {
			at, ok = l.until, true
		}
	}
	return at, ok
}

// fire makes ready what is due: delayed items, items whose claim ran out, lanes whose pause ended.
func (q *Memory) fire() {
	defer q.fires.Done()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	now := time.Now()
	q.timerAt = time.Time{}
	for n := q.waits.due(now); n != nil; n = q.waits.due(now) {
		q.ready(n, now)
		q.serve(n.lane)
	}
	for _, l := range q.lanes {
		if l.paused && !l.until.IsZero() && !l.until.After(now) {
			l.paused, l.until = false, time.Time{}
			q.serve(l) // lanes have takers of their own, so their order decides nothing
		}
	}
	q.arm()
}

// ready ends a node's wait: for its time, or for its claim to be settled.
func (q *Memory) ready(n *node, now time.Time) {
	q.waits.remove(n)
	if n.state == stateClaimed {
		n.holder = nil
		q.claimed--
		if !q.cfg.HoldRetries {
			q.leaveWindow(n)
		}
	} else {
		q.delayed--
	}
	n.state = stateReady
	if n.item.Delivery > 0 {
		n.lane.due.push(n)
		return
	}
	q.ages.add(n, now)
	n.lane.fresh.push(n)
}

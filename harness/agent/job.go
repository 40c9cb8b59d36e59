package agent

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/aftershock-dev/aftershock/harness"
)

// job is one order that an agent carries out.
type job struct {
	worker  *Worker
	order   Order
	load    Load
	started bool // guarded by the worker's mutex
	ctx     context.Context
	cancel  context.CancelFunc
	wake    chan struct{}

	mu   sync.Mutex
	rows []byte // not yet told of
	told int    // messages reported so far
	hist Histograms
}

// run sends the share and tells of it; it returns how that went, in words.
func (j *job) run(start time.Time) string {
	defer j.cancel()
	var sendErr error
	sent := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		defer close(sent)
		sendErr = j.load.Send(j.ctx, start, j.report)
	})
	batches, err := j.tell(sent)
	if err != nil {
		j.cancel() // nobody listens: no load without anyone who watches
	}
	sending.Wait()
	if err != nil {
		return err.Error()
	}
	if err := j.finish(batches, sendErr); err != nil {
		return "stopped: " + err.Error()
	}
	return fmt.Sprintf("sent %d messages", j.told)
}

// report keeps one message until the next batch.
func (j *job) report(r harness.Hit, scheduled time.Duration) {
	j.mu.Lock()
	j.rows = appendRow(j.rows, r)
	j.told++
	j.hist.Add(r, scheduled)
	full := len(j.rows) >= batchBytes
	j.mu.Unlock()
	if full {
		select {
		case j.wake <- struct{}{}:
		default:
		}
	}
}

// tell sends a batch every so often, an empty one as a sign of life, until everything has been told. It returns how
// many batches there were.
func (j *job) tell(sent <-chan struct{}) (batches int, err error) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		last := false
		select {
		case <-sent:
			last = true
		case <-tick.C:
		case <-j.wake:
		}
		for {
			rows := j.take()
			if err := j.request(j.worker.subjects.rows(j.order.Run), strconv.Itoa(batches), rows); err != nil {
				return batches, err
			}
			batches++
			if len(rows) < batchBytes {
				break
			}
		}
		if last {
			return batches, nil
		}
	}
}

// take takes the rows that have gathered, in whole rows and about as much as a batch should hold.
func (j *job) take() []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.rows) < 2*batchBytes {
		rows := j.rows
		j.rows = nil
		return rows
	}
	n := 0
	for n < batchBytes {
		_, rest, err := readRow(j.rows[n:])
		if err != nil {
			break // what we wrote ourselves can be read
		}
		n = len(j.rows) - len(rest)
	}
	rows := j.rows[:n:n]
	j.rows = j.rows[n:]
	return rows
}

var errUnheard = errors.New("nobody listens any more")

// request sends a batch until it is acknowledged: the same batch may arrive twice, and counts once.
func (j *job) request(subject, batch string, data []byte) error {
	m := nats.NewMsg(subject)
	m.Header.Set(headAgent, j.worker.ID)
	m.Header.Set(headBatch, batch)
	m.Data = data
	for began := time.Now(); time.Since(began) < giveUpAfter; {
		answer, err := j.worker.Conn.RequestMsg(m, answerIn)
		if err != nil {
			if j.worker.Conn.IsClosed() {
				return errUnheard
			}
			if !errors.Is(err, nats.ErrTimeout) {
				time.Sleep(flushEvery) // no responders, or no connection: not at once again
			}
			continue
		}
		r, err := decode[receipt](answer.Data)
		if err == nil && r.Stop {
			return errUnheard
		}
		if err == nil {
			return nil
		}
	}
	return errUnheard
}

// finish says the last word, and returns what went wrong.
func (j *job) finish(batches int, sendErr error) error {
	j.mu.Lock()
	hist, err := j.hist.encode()
	f := finish{Agent: j.worker.ID, Rows: j.told, Batches: batches, Histograms: hist}
	j.mu.Unlock()
	if err = errors.Join(sendErr, err); err != nil {
		f.Error = err.Error()
	}
	return errors.Join(err, j.request(j.worker.subjects.finish(j.order.Run), strconv.Itoa(batches), encode(f)))
}

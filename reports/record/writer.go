package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The files of a record.
const (
	FileInfo     = "run.json"
	FileScenario = "scenario.yaml"
	FileEvents   = "events.jsonl"
	FileGauges   = "gauges.jsonl"
	FileMessages = "messages.jsonl.zst"
	FileAttempts = "attempts.jsonl.zst"
)

// SchemaRun names the format of a record.
const SchemaRun = "aftershock.run/v1"

// States of a run, in Info.State.
const (
	Running     = "running"
	Finished    = "finished"
	Interrupted = "interrupted"
	Broken      = "failed"
)

// Writer writes the record of one run while it goes on. All methods may be called from any goroutine, inside a
// synctest bubble too: they take a short mutex and never wait for anything else. Create and Close belong outside.
type Writer struct {
	dir string

	mu     sync.Mutex // guards the small files
	events *os.File
	gauges *os.File
	seq    int64
	subs   map[int]chan struct{}
	nextID int
	err    error

	messages *rows[Message]
	attempts *rows[Attempt]
	wake     chan struct{}
	stop     chan struct{}
	done     sync.WaitGroup
	closed   sync.Once
}

// Create makes the folder of a run and starts its record, in state running unless info says another. It refuses a
// folder that already holds something, a run above all.
func Create(dir string, info Info, scenarioYAML []byte) (*Writer, error) {
	if err := claim(dir, scenarioYAML); err != nil {
		return nil, err
	}
	if info.State == "" {
		info.State = Running
	}
	w := &Writer{dir: dir, subs: map[int]chan struct{}{}, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	if err := w.open(); err != nil {
		w.closeFiles()
		return nil, err
	}
	w.Update(info)
	if err := w.Err(); err != nil {
		w.closeFiles()
		return nil, err
	}
	w.done.Go(w.flushLoop)
	return w, nil
}

func (w *Writer) open() (err error) {
	if w.events, err = os.Create(filepath.Join(w.dir, FileEvents)); err != nil {
		return fmt.Errorf("start the record: %w", err)
	}
	_ = hold(w.events) // a file system without locks: then every record of it counts as written
	if w.gauges, err = os.Create(filepath.Join(w.dir, FileGauges)); err != nil {
		return fmt.Errorf("start the record: %w", err)
	}
	if w.messages, err = newRows(filepath.Join(w.dir, FileMessages), w.wake, appendMessage); err != nil {
		return fmt.Errorf("start the record: %w", err)
	}
	if w.attempts, err = newRows(filepath.Join(w.dir, FileAttempts), w.wake, appendAttempt); err != nil {
		return fmt.Errorf("start the record: %w", err)
	}
	return nil
}

func (w *Writer) closeFiles() {
	for _, f := range []*os.File{w.events, w.gauges} {
		if f != nil {
			w.note(errors.Join(f.Sync(), f.Close()))
		}
	}
	if w.messages != nil {
		w.note(w.messages.close())
	}
	if w.attempts != nil {
		w.note(w.attempts.close())
	}
}

// Dir returns the folder of the run.
func (w *Writer) Dir() string { return w.dir }

// Event numbers an event, appends it to events.jsonl at once and tells the subscribers. It returns the event with
// its number.
func (w *Writer) Event(e Event) Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seq++
	e.Seq = w.seq
	w.line(w.events, e)
	return e
}

// Gauge appends one reading of the gauges and tells the subscribers.
func (w *Writer) Gauge(g Gauge) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line(w.gauges, g)
}

// line writes one value as a line and tells the subscribers; the caller holds mu.
func (w *Writer) line(f *os.File, v any) {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = f.Write(append(b, '\n'))
	}
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("write the record: %w", err)
	}
	for _, c := range w.subs {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Message appends one message. The row is encoded and compressed in the background.
func (w *Writer) Message(m Message) { w.messages.add(m) }

// Attempt appends one attempt. The row is encoded and compressed in the background.
func (w *Writer) Attempt(a Attempt) { w.attempts.add(a) }

// Update rewrites run.json; a reader sees either the old one or the new one.
func (w *Writer) Update(info Info) {
	if info.Schema == "" {
		info.Schema = SchemaRun
	}
	b, err := json.MarshalIndent(info, "", "  ")
	if err == nil {
		err = writeAtomically(filepath.Join(w.dir, FileInfo), append(b, '\n'))
	}
	w.note(err)
}

func writeAtomically(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// Subscribe returns a channel that receives something soon after every event and reading; what happened is in the
// files (see Follow). A slow subscriber misses signals, never holds the run. Cancel ends the subscription.
func (w *Writer) Subscribe() (changed <-chan struct{}, cancel func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.nextID
	w.nextID++
	c := make(chan struct{}, 1)
	w.subs[id] = c
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.subs, id)
	}
}

// Err returns the first error of all writes so far.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *Writer) note(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("write the record: %w", err)
	}
}

// flushLoop encodes rows as batches fill, and once a second whatever there is, so that a killed run loses little.
func (w *Writer) flushLoop() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-w.wake:
			w.note(w.messages.drain())
			w.note(w.attempts.drain())
		case <-tick.C:
			w.note(w.messages.flush())
			w.note(w.attempts.flush())
		}
	}
}

// last is the Info that ends a record: sealed or, when something could not be written, that of a run that failed.
func (w *Writer) last(info Info) Info {
	if w.Err() == nil {
		files, err := sumFiles(w.dir)
		w.note(err)
		info.Files = files
	}
	if err := w.Err(); err != nil {
		info.State, info.Files = Broken, nil
		if info.Error == "" {
			info.Error = err.Error()
		}
	}
	if info.Schema == "" {
		info.Schema = SchemaRun
	}
	info.Seal = sealOf(info)
	return info
}

// Close writes what is left and the final run.json, which says what is in the other files, and returns the first error of
// all writes of the run. A record that could not be written whole ends as failed. Everything is on the disk before
// run.json says that the run has ended.
func (w *Writer) Close(info Info) error {
	w.closed.Do(func() {
		close(w.stop)
		w.done.Wait()
		w.closeFiles()
		w.Update(w.last(info))
	})
	return w.Err()
}

package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/files"
)

// Item is one thing a viewer of a run is told: an event or a reading of the gauges. Exactly one is set.
type Item struct {
	Event *Event `json:"event,omitempty"`
	Gauge *Gauge `json:"gauge,omitempty"`
	Next  Cursor `json:"-"` // where to go on after this item
}

// At is the instant of the item.
func (i Item) At() time.Duration {
	if i.Event != nil {
		return i.Event.At
	}
	return i.Gauge.At
}

// Cursor is a place in a run's stream: how many bytes of the events and of the gauges have been seen. The zero
// Cursor is the beginning.
type Cursor struct{ Events, Gauges int64 }

// String prints the cursor, for resuming over a wire.
func (c Cursor) String() string { return fmt.Sprintf("%d-%d", c.Events, c.Gauges) }

// ParseCursor reads what String printed; the empty text is the beginning.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	e, g, ok := strings.Cut(s, "-")
	events, err1 := strconv.ParseInt(e, 10, 64)
	gauges, err2 := strconv.ParseInt(g, 10, 64)
	if !ok || err1 != nil || err2 != nil || events < 0 || gauges < 0 {
		return Cursor{}, fmt.Errorf("%q is not a place in a run: want two numbers such as 120-4096", s)
	}
	return Cursor{events, gauges}, nil
}

// pollEvery is how often Follow looks at the files of a run that goes on.
const pollEvery = 100 * time.Millisecond

// mourning is how long a run may have no writer before it is taken for dead: one that ends closes its files before it
// says that it has ended.
const mourning = 3 * time.Second

// Follow yields the events and gauges of a run after a cursor, merged by their instants, and goes on while the run
// does. It ends when the run has ended and everything was yielded, with ErrDied when its process is gone, or when ctx is
// done. Changed may be nil; a signal on it (see Writer.Subscribe) makes Follow look at once.
func Follow(ctx context.Context, dir string, after Cursor, changed <-chan struct{}) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		f := follower{dir: dir, at: after}
		tick := time.NewTicker(pollEvery)
		defer tick.Stop()
		seen := time.Now() // alive
		for ctx.Err() == nil {
			alive := Alive(dir)
			info, err := LoadInfo(dir) // read first: what is in the files once the run has ended is all there is
			if err == nil {
				err = f.read()
			}
			if err != nil {
				yield(Item{}, err)
				return
			}
			ended := info.State != Running
			if ended && info.Files != nil {
				if err := Verify(dir, info); err != nil {
					yield(Item{}, err)
					return
				}
			}
			for item := range f.items() {
				if ctx.Err() != nil || !yield(item, nil) {
					return
				}
			}
			if ended {
				return
			}
			switch {
			case alive:
				seen = time.Now()
			case time.Since(seen) > mourning:
				yield(Item{}, ErrDied)
				return
			}
			select {
			case <-ctx.Done():
			case <-changed:
			case <-tick.C:
			}
		}
	}
}

// follower is what Follow has read and not yet yielded.
type follower struct {
	dir    string
	at     Cursor // yielded up to here
	events []placed[Event]
	gauges []placed[Gauge]
}

type placed[T any] struct {
	v   T
	end int64
}

func (f *follower) read() error {
	var err error
	if f.events, err = tail(filepath.Join(f.dir, FileEvents), f.at.Events, f.events); err != nil {
		return err
	}
	f.gauges, err = tail(filepath.Join(f.dir, FileGauges), f.at.Gauges, f.gauges)
	return err
}

// tail appends the complete lines that the file has gained since the last one read.
func tail[T interface{ bounded() error }](path string, from int64, have []placed[T]) ([]placed[T], error) {
	if n := len(have); n > 0 {
		from = have[n-1].end
	}
	file, err := files.Named(path)
	if errors.Is(err, fs.ErrNotExist) {
		return have, nil
	}
	if err != nil {
		return have, err
	}
	defer file.Close()
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return have, err
	}
	b, err := io.ReadAll(file)
	if err != nil {
		return have, err
	}
	for {
		vs, used, err := parseLines[T](firstLine(b))
		if err != nil {
			return have, fmt.Errorf("%s at byte %d: %w", path, from, err)
		}
		if used == 0 {
			return have, nil
		}
		from += int64(used)
		b = b[used:]
		have = append(have, placed[T]{vs[0], from})
	}
}

func firstLine(b []byte) []byte {
	for i, c := range b {
		if c == '\n' {
			return b[:i+1]
		}
	}
	return nil
}

// items yields what was read in the order of its instants, events first.
func (f *follower) items() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for len(f.events)+len(f.gauges) > 0 {
			var item Item
			if len(f.gauges) == 0 || (len(f.events) > 0 && f.events[0].v.At <= f.gauges[0].v.At) {
				item.Event, f.at.Events = &f.events[0].v, f.events[0].end
				f.events = f.events[1:]
			} else {
				item.Gauge, f.at.Gauges = &f.gauges[0].v, f.gauges[0].end
				f.gauges = f.gauges[1:]
			}
			item.Next = f.at
			if !yield(item) {
				return
			}
		}
	}
}

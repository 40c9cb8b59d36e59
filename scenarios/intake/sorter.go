package intake

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"
)

// entry is one message of the trace to be.
type entry struct {
	at   int64 // nanoseconds since 1970
	to   id
	key  id
	size int
	kind byte // index into kinds, 0 for none
}

var kinds = []string{"", "text", "image", "video", "audio", "document", "sticker", "template"}

func kindNumber(kind string) byte { return byte(max(0, slices.Index(kinds, kind))) }

// appendCSV prints a line of the trace.
func (e entry) appendCSV(b []byte, start int64) []byte {
	us := (e.at - start) / 1000
	b = strconv.AppendInt(b, us/1e6, 10)
	if frac := us % 1e6; frac != 0 {
		digits := strconv.AppendInt(nil, 1e6+frac, 10)
		b = append(append(b, '.'), bytes.TrimRight(digits[1:], "0")...)
	}
	b = e.to.appendTo(append(b, ','), 'r')
	b = append(append(b, ','), kinds[e.kind]...)
	b = append(b, ',')
	if e.size > 0 {
		b = strconv.AppendInt(b, int64(e.size), 10)
	}
	b = e.key.appendTo(append(b, ','), 'k')
	return append(b, '\n')
}

const entryBytes = 8 + 8 + 8 + 4 + 1 // in a file

// sorter puts entries in order of time, those of one instant in the order in which they came. What does not fit into
// a chunk goes to a file, sorted, and the files are merged.
type sorter struct {
	dir   string
	hold  int // entries held in memory
	chunk []entry
	files []*os.File
	count int64
	whole bool // every time so far is a whole second
}

func (s *sorter) add(e entry) error {
	if len(s.chunk) == s.hold {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.whole = (s.whole || s.count == 0) && e.at%int64(time.Second) == 0
	s.chunk = append(s.chunk, e)
	s.count++
	return nil
}

func (s *sorter) sort() {
	slices.SortStableFunc(s.chunk, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
}

func (s *sorter) spill() error {
	s.sort()
	f, err := os.CreateTemp(s.dir, "aftershock-import-*")
	if err != nil {
		return fmt.Errorf("room to sort: %w", err)
	}
	s.files = append(s.files, f)
	w := bufio.NewWriterSize(f, 1<<16)
	var b [entryBytes]byte
	for _, e := range s.chunk {
		binary.LittleEndian.PutUint64(b[0:], uint64(e.at))
		binary.LittleEndian.PutUint64(b[8:], uint64(e.to))
		binary.LittleEndian.PutUint64(b[16:], uint64(e.key))
		binary.LittleEndian.PutUint32(b[24:], uint32(e.size))
		b[28] = e.kind
		if _, err := w.Write(b[:]); err != nil {
			return fmt.Errorf("room to sort: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("room to sort: %w", err)
	}
	s.chunk = s.chunk[:0]
	return nil
}

// close removes what was written.
func (s *sorter) close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close(), os.Remove(f.Name()))
	}
	s.files = nil
	return errors.Join(errs...)
}

// each calls f with every entry, in order.
func (s *sorter) each(f func(entry) error) error {
	s.sort()
	if len(s.files) == 0 {
		for _, e := range s.chunk {
			if err := f(e); err != nil {
				return err
			}
		}
		return nil
	}
	var runs runHeap
	for i, file := range s.files {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		runs = append(runs, &run{number: i, in: bufio.NewReaderSize(file, 1<<16)})
	}
	runs = append(runs, &run{number: len(s.files), rest: s.chunk})
	var live runHeap
	for _, r := range runs {
		ok, err := r.advance()
		if err != nil {
			return err
		}
		if ok {
			live = append(live, r)
		}
	}
	heap.Init(&live)
	for len(live) > 0 {
		r := live[0]
		if err := f(r.head); err != nil {
			return err
		}
		ok, err := r.advance()
		if err != nil {
			return err
		}
		if ok {
			heap.Fix(&live, 0)
		} else {
			heap.Pop(&live)
		}
	}
	return nil
}

// spreadMost bounds how many messages of one second are held to be spread over it.
const spreadMost = 1_000_000

// spread passes entries on, those of one instant spread evenly over the second that begins there.
func spread(each func(func(entry) error) error, put func(entry) error) error {
	var same []entry
	flush := func() error {
		for i, e := range same {
			e.at += int64(time.Second) * int64(i) / int64(len(same))
			if err := put(e); err != nil {
				return err
			}
		}
		same = same[:0]
		return nil
	}
	err := each(func(e entry) error {
		if len(same) == spreadMost {
			return fmt.Errorf("more than %d messages in one second", spreadMost)
		}
		if len(same) > 0 && same[0].at != e.at {
			if err := flush(); err != nil {
				return err
			}
		}
		same = append(same, e)
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// run is one sorted stretch: a file, or what is left in memory.
type run struct {
	number int
	in     *bufio.Reader
	rest   []entry
	head   entry
}

func (r *run) advance() (bool, error) {
	if r.in == nil {
		if len(r.rest) == 0 {
			return false, nil
		}
		r.head, r.rest = r.rest[0], r.rest[1:]
		return true, nil
	}
	var b [entryBytes]byte
	if _, err := io.ReadFull(r.in, b[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return false, fmt.Errorf("what was sorted: %w", err)
	}
	r.head = entry{
		at: int64(binary.LittleEndian.Uint64(b[0:])), to: id(binary.LittleEndian.Uint64(b[8:])),
		key: id(binary.LittleEndian.Uint64(b[16:])), size: int(binary.LittleEndian.Uint32(b[24:])), kind: b[28],
	}
	return true, nil
}

type runHeap []*run

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, j int) bool {
	if h[i].head.at != h[j].head.at {
		return h[i].head.at < h[j].head.at
	}
	return h[i].number < h[j].number
}
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push adds a run.
func (h *runHeap) Push(x any) { *h = append(*h, x.(*run)) }

// Pop takes the last run away.
func (h *runHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

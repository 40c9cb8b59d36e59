package scenarios

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/internal/strict"
)

// Arrival is one message of a trace.
type Arrival struct {
	At   time.Duration // from the start of the load
	To   string        // as in the file; anonymised by import
	Type string        // "" when the file does not say
	Size int           // bytes of media; 0 when the file does not say
	Key  string        // idempotency key; "" when the file does not say
}

// Number is a number for the recipient out of the range that is kept for fiction. It follows from To alone and tells
// nothing about it.
func (a Arrival) Number() string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(a.To)) // a hash does not fail
	return fmt.Sprintf("1555%010d", mix(h.Sum64())%10_000_000_000)
}

// mix spreads the bits of a hash.
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// traceColumns are the columns that a trace may have, in any order; only the first has to be there.
var traceColumns = []string{"timestamp", "to", "type", "size", "key"}

// columnName is what may be repeated of a column that is not known.
var columnName = regexp.MustCompile(`^[a-z_ ]{1,24}$`)

// TracePath is where the scenario's trace lies: relative paths are relative to the scenario's file.
func (s *Scenario) TracePath() string {
	if s.Load.Trace == "" || filepath.IsAbs(s.Load.Trace) {
		return s.Load.Trace
	}
	return filepath.Join(filepath.Dir(s.File), s.Load.Trace)
}

// Trace reads the scenario's trace, row by row and in order of time; nothing of it is kept. It ends with the first
// error.
func (s *Scenario) Trace() iter.Seq2[Arrival, error] {
	return func(yield func(Arrival, error) bool) {
		file := s.TracePath()
		f, err := files.Open(file)
		if err != nil {
			yield(Arrival{}, &strict.Error{File: file, Problem: err.Error()})
			return
		}
		defer f.Close()
		for a, err := range ReadTrace(file, f, s.Start) {
			a.At = time.Duration(float64(a.At) / max(s.pace, 1))
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// scanTrace reads the whole trace once, to find what is wrong with it and how long it lasts.
func (s *Scenario) scanTrace() error {
	n := 0
	for a, err := range s.Trace() {
		if err != nil {
			return strict.All(err).Err()
		}
		s.Span = a.At
		n++
	}
	if n == 0 {
		return strict.Errors{{File: s.TracePath(), Problem: "the trace has no messages"}}
	}
	return nil
}

// ReadTrace reads a trace: CSV with a header. Timestamps are RFC 3339, seconds from the start (12.5) or durations
// (1m30s), and do not go back. Those of the calendar count from start or, when that is zero, from the first row.
func ReadTrace(file string, r io.Reader, start time.Time) iter.Seq2[Arrival, error] {
	return func(yield func(Arrival, error) bool) {
		t := &traceReader{file: file, csv: csv.NewReader(bufio.NewReaderSize(r, 1<<16)), start: start, column: map[string]int{}}
		t.csv.ReuseRecord = true
		t.csv.FieldsPerRecord = -1
		if err := t.header(); err != nil {
			yield(Arrival{}, err)
			return
		}
		for {
			a, err := t.row()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

type traceReader struct {
	file   string
	csv    *csv.Reader
	start  time.Time
	last   time.Duration
	column map[string]int
	width  int
}

func (t *traceReader) fail(key, problem, hint string) error {
	line, _ := t.csv.FieldPos(0)
	return &strict.Error{File: t.file, Line: line, Key: key, Problem: problem, Hint: hint}
}

// read returns the next record.
func (t *traceReader) read() ([]string, error) {
	row, err := t.csv.Read()
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		return nil, &strict.Error{File: t.file, Line: pe.Line, Problem: pe.Err.Error()}
	}
	return row, err
}

func (t *traceReader) header() error {
	row, err := t.read()
	if errors.Is(err, io.EOF) {
		return &strict.Error{File: t.file, Line: 1, Problem: "the trace is empty", Hint: "its first line is timestamp,to,type,size,key"}
	}
	if err != nil {
		return err
	}
	t.width = len(row)
	for i, name := range row {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if !slices.Contains(traceColumns, name) {
			hint := "the columns are " + join(traceColumns)
			if s := strict.Suggest(name, traceColumns); s != "" {
				hint = "did you mean " + s + "?"
			}
			if !columnName.MatchString(name) { // perhaps not a trace at all, and nobody else's business
				return t.fail("", fmt.Sprintf("column %d has no name that is known here", i+1), hint)
			}
			return t.fail(name, "unknown column", hint)
		}
		if _, twice := t.column[name]; twice {
			return t.fail(name, "column given twice", "")
		}
		t.column[name] = i
	}
	if _, ok := t.column["timestamp"]; !ok {
		return t.fail("", "no column timestamp", "the first line is timestamp,to,type,size,key")
	}
	return nil
}

func (t *traceReader) row() (Arrival, error) {
	row, err := t.read()
	if err != nil {
		return Arrival{}, err
	}
	if len(row) != t.width {
		return Arrival{}, t.fail("", fmt.Sprintf("%d columns, and the first line names %d", len(row), t.width), "")
	}
	cell := func(name string) string {
		if i, ok := t.column[name]; ok {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	a := Arrival{To: strings.Clone(cell("to")), Type: strings.Clone(cell("type")), Key: strings.Clone(cell("key"))}
	if a.At, err = t.at(cell("timestamp")); err != nil {
		return Arrival{}, err
	}
	switch {
	case a.At < 0:
		return Arrival{}, t.fail("timestamp", cell("timestamp")+" is before the start", "move start in the scenario, or leave it out")
	case a.At < t.last:
		return Arrival{}, t.fail("timestamp", cell("timestamp")+" is before the row above", "rows are in order of time; aftershock scenario import sorts")
	case a.At > maxLength:
		return Arrival{}, t.fail("timestamp", cell("timestamp")+" is more than a year after the start", "")
	}
	t.last = a.At
	if a.Type != "" && !slices.Contains(messageTypes, a.Type) {
		return Arrival{}, t.fail("type", strconv.Quote(a.Type)+" is not a type of message", "write "+joinOr(messageTypes))
	}
	if s := cell("size"); s != "" {
		if a.Size, err = strconv.Atoi(s); err != nil || a.Size < 0 || a.Size > 16<<20 {
			return Arrival{}, t.fail("size", strconv.Quote(s)+" is not a number of bytes up to 16 MiB", "")
		}
	}
	return a, nil
}

// at reads a timestamp as an offset from the start.
func (t *traceReader) at(s string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(s, 64); err == nil && f < 1e9 && f > -1e9 {
		return time.Duration(f * float64(time.Second)), nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, t.fail("timestamp", strconv.Quote(s)+" is not a time",
			"write 2025-06-06T13:33:00-04:00, or seconds from the start such as 12.5")
	}
	if t.start.IsZero() {
		t.start = at
	}
	return at.Sub(t.start), nil
}

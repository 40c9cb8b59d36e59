// Package intake turns logs of what happened into what a scenario replays: a trace of arrivals, or phases of load.
//
// Import reads once, from front to back, and holds a bounded part in memory however long the log is. Names and numbers
// of people are replaced by keyed hashes before anything is written. Lines that cannot be read are counted and named.
package intake

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Options say how to read a log.
type Options struct {
	Format string            // one of Formats; "" means recognise it
	Fields map[string]string // time, to, type, size, key, method, path → column or field of the log; "" means the usual names
	Match  *regexp.Regexp    // access logs: only requests whose "METHOD path" it finds; nil means POST
	Zone   *time.Location    // of times that are written without one; nil means UTC
	From   time.Time         // lines before are left out; zero means none
	To     time.Time         // lines from here on are left out; zero means none
	Key    []byte            // of the hash that hides people; empty means a random one, thrown away
	Exact  bool              // keep whole seconds as they are; without it messages of one second are spread over it
	Unique bool              // a key that was seen among the last million messages is a retry: leave it out
	Temp   string            // folder for what does not fit into memory; "" means the system's
	Hold   int               // messages held in memory while sorting; 0 means 500,000 (20 MB)
}

// Formats are the formats that Import reads.
var Formats = []string{"csv", "jsonl", "common", "combined", "json", "prometheus"}

// Result is what was read.
type Result struct {
	Format   string
	Lines    int64 // read, header included
	Messages int64 // written
	Other    int64 // lines that are about something else: other requests, other times
	Repeated int64 // lines left out as retries of a message
	Spread   bool  // the log knows whole seconds alone: messages of one second were spread evenly over it
	Bad      int64 // lines that could not be read
	First    BadLines
	Unknown  map[string]int64 // message types that there are not; their messages get the scenario's mix
	Start    time.Time        // what offset 0 of the trace is
	Span     time.Duration    // from Start to the last message
	Shape    Shape
	Phases   []scenarios.Phase // only from a Prometheus answer: the load itself
}

// BadLine is a line that could not be read.
type BadLine struct {
	Line    int64
	Problem string
}

// BadLines are the first few of them.
type BadLines []BadLine

const (
	badShown    = 5       // bad lines that are named
	unknownKept = 20      // unknown types that are named
	lineLimit   = 1 << 20 // bytes of a line
	repeatsKept = 1_000_000
)

func (r *Result) bad(line int64, err error) {
	r.Bad++
	if len(r.First) < badShown {
		r.First = append(r.First, BadLine{line, err.Error()})
	}
}

// row is one message of a log.
type row struct {
	at   time.Time
	to   string
	kind string
	size int
	key  string
}

// errOther marks a line that can be read and is about something else.
var errOther = errors.New("about something else")

// reader reads one line of a format.
type reader interface {
	// read returns the line's message; errOther when it holds none that is wanted.
	read(line []byte) (row, error)
}

// Import reads a log and writes the trace of its messages in order of time (scenarios.ReadTrace reads it). A
// Prometheus answer has rates instead of messages: nothing is written, and Result.Phases is the load.
func Import(ctx context.Context, in io.Reader, trace io.Writer, o Options) (Result, error) {
	r := Result{Unknown: map[string]int64{}}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Match == nil {
		o.Match = regexp.MustCompile(`^POST `)
	}
	src, err := unzip(in)
	if err != nil {
		return r, err
	}
	if r.Format, err = recognise(o.Format, src); err != nil {
		return r, err
	}
	if r.Format == "prometheus" {
		return r, r.prometheus(src, o)
	}
	var lines reader
	switch r.Format {
	case "csv":
		lines = newCSV(o)
	case "common", "combined":
		lines = &accessReader{o: o}
	default:
		lines = newJSON(o, r.Format == "json")
	}
	return r, r.messages(ctx, src, lines, trace, o)
}

// messages reads line by line, sorts, and writes.
func (r *Result) messages(ctx context.Context, src *bufio.Reader, lines reader, trace io.Writer, o Options) (err error) {
	hide, err := newVeil(o.Key)
	if err != nil {
		return err
	}
	sorter := &sorter{dir: o.Temp, hold: cmp.Or(o.Hold, 500_000)}
	defer func() { err = errors.Join(err, sorter.close()) }()
	seen := newRepeats()
	for {
		line, lerr := readLine(src)
		if errors.Is(lerr, io.EOF) {
			break
		}
		r.Lines++
		if r.Lines%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(lerr, errTooLong) {
			r.bad(r.Lines, lerr)
			continue
		}
		if lerr != nil {
			return fmt.Errorf("line %d: %w", r.Lines+1, lerr)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			r.Other++
			continue
		}
		x, perr := lines.read(line)
		if fe, ok := errors.AsType[*FieldError](perr); ok {
			return fe
		}
		switch {
		case errors.Is(perr, errOther):
			r.Other++
			continue
		case perr != nil:
			r.bad(r.Lines, perr)
			continue
		case !o.From.IsZero() && x.at.Before(o.From), !o.To.IsZero() && !x.at.Before(o.To):
			r.Other++
			continue
		}
		if o.Unique && x.key != "" && seen.again(x.key) {
			r.Repeated++
			continue
		}
		if err := sorter.add(r.entry(x, hide)); err != nil {
			return err
		}
	}
	if r.Messages = sorter.count; r.Messages == 0 {
		return r.nothing()
	}
	r.Spread = sorter.whole && !o.Exact
	return r.write(sorter, trace)
}

// nothing explains why a log gave no message.
func (r *Result) nothing() error {
	switch {
	case len(r.First) > 0:
		return fmt.Errorf("no line could be read as %s (line %d: %s)", r.Format, r.First[0].Line, r.First[0].Problem)
	case r.Other > 0 && (r.Format == "common" || r.Format == "combined" || r.Format == "json"):
		return fmt.Errorf("none of the %d requests was wanted", r.Other)
	}
	return errors.New("the log is empty")
}

// entry hides the people of a row.
func (r *Result) entry(x row, hide *veil) entry {
	e := entry{at: x.at.UnixNano(), to: hide.word('r', x.to), key: hide.word('k', x.key), size: x.size}
	if x.kind != "" {
		if e.kind = kindNumber(x.kind); e.kind == 0 && (len(r.Unknown) < unknownKept || r.Unknown[x.kind] > 0) {
			r.Unknown[x.kind]++
		}
	}
	return e
}

// write writes the sorted trace. Offsets count from the minute in which the first message came.
func (r *Result) write(s *sorter, trace io.Writer) error {
	w := bufio.NewWriterSize(trace, 1<<16)
	if _, err := w.WriteString("timestamp,to,type,size,key\n"); err != nil {
		return err
	}
	var start, last int64
	buf := make([]byte, 0, 128)
	put := func(e entry) error {
		if start == 0 {
			r.Start = time.Unix(0, e.at).UTC().Truncate(time.Minute)
			start = r.Start.UnixNano()
		}
		last = e.at
		r.Shape.add(time.Duration(e.at - start))
		buf = e.appendCSV(buf[:0], start)
		_, err := w.Write(buf)
		return err
	}
	var err error
	if r.Spread {
		err = spread(s.each, put)
	} else {
		err = s.each(put)
	}
	r.Span = time.Duration(last - start)
	if err != nil {
		return err
	}
	if r.Span > 366*24*time.Hour {
		return fmt.Errorf("the log spans %s; a year is the most (use from and to)", strict.Duration(r.Span.Round(time.Hour)))
	}
	return w.Flush()
}

func unzip(in io.Reader) (*bufio.Reader, error) {
	src := bufio.NewReaderSize(in, 1<<16)
	if magic, _ := src.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(src)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		src = bufio.NewReaderSize(z, 1<<16)
	}
	if bom, _ := src.Peek(3); bytes.Equal(bom, []byte("\ufeff")) {
		_, _ = src.Discard(3) // just peeked
	}
	return src, nil
}

var errTooLong = errors.New("longer than " + strconv.Itoa(lineLimit) + " bytes")

// readLine returns the next line without its end; it is valid until the next call. A line that is too long is skipped.
func readLine(src *bufio.Reader) ([]byte, error) {
	line, err := src.ReadSlice('\n')
	if err == nil || errors.Is(err, io.EOF) && len(line) > 0 {
		return bytes.TrimRight(line, "\r\n"), nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	long := slices.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = src.ReadSlice('\n')
		if len(long) <= lineLimit {
			long = append(long, line...)
		}
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case len(long) > lineLimit:
		return nil, errTooLong
	}
	return bytes.TrimRight(long, "\r\n"), nil
}

// recognise finds out the format from the first line.
func recognise(format string, src *bufio.Reader) (string, error) {
	if format != "" {
		if !slices.Contains(Formats, format) {
			return "", fmt.Errorf("%q is not a format that is read here (%v)", format, Formats)
		}
		return format, nil
	}
	head, err := src.Peek(4096)
	if len(head) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return "", errors.New("the log is empty")
	}
	first := bytes.TrimSpace(head)
	prometheus := bytes.HasPrefix(first, []byte("{")) && bytes.Contains(head, []byte(`"resultType"`))
	if i := bytes.IndexByte(first, '\n'); i >= 0 {
		first = first[:i]
	}
	switch {
	case prometheus:
		return "prometheus", nil
	case bytes.HasPrefix(first, []byte("{")):
		for _, word := range []string{`"method"`, `"request"`, `"request_method"`, `"verb"`} {
			if bytes.Contains(first, []byte(word)) {
				return "json", nil
			}
		}
		return "jsonl", nil
	case accessLine.Match(first):
		return "combined", nil
	}
	return "csv", nil
}

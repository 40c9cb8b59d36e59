package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"sort"

	"github.com/klauspost/compress/zstd"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/internal/printable"
)

// maxLine bounds one line of a record's files.
const maxLine = 4 << 20

// Load reads a run's folder, attempts excepted. A run that was killed loads too: a last line or frame that was cut
// off is left out. Messages come back in the order of their IDs.
func Load(dir string) (*Run, error) {
	run := &Run{Dir: dir}
	var err error
	if run.Info, err = LoadInfo(dir); err != nil {
		return nil, err
	}
	if err := Verify(dir, run.Info); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if run.Events, err = loadLines[Event](filepath.Join(dir, FileEvents)); err != nil {
		return nil, err
	}
	if run.Gauges, err = loadLines[Gauge](filepath.Join(dir, FileGauges)); err != nil {
		return nil, err
	}
	d := newDecoder()
	for line, err := range packed(filepath.Join(dir, FileMessages)) {
		if err != nil {
			return nil, err
		}
		m, err := d.message(line)
		if err == nil {
			err = m.bounded()
		}
		if err != nil {
			return nil, fmt.Errorf("%s, row %d: %w", filepath.Join(dir, FileMessages), len(run.Messages)+1, err)
		}
		run.Messages = append(run.Messages, m)
	}
	sortByID(run.Messages)
	return run, nil
}

// How long files may be that are read whole.
const (
	mostInfo  = 64 << 20
	mostLines = 4 << 30
)

// LoadInfo reads run.json alone.
func LoadInfo(dir string) (Info, error) {
	var info Info
	path := filepath.Join(dir, FileInfo)
	b, err := files.ReadNamed(path, mostInfo)
	if errors.Is(err, fs.ErrNotExist) {
		return info, fmt.Errorf("%s is not a run's folder: it has no %s", dir, FileInfo)
	}
	if err != nil {
		return info, err
	}
	if err := json.Unmarshal(b, &info); err != nil {
		return info, fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
	}
	if info.Schema != SchemaRun {
		return info, fmt.Errorf("%s: schema is %q, this version reads %q", path, info.Schema, SchemaRun)
	}
	if err := info.intact(); err != nil {
		return info, fmt.Errorf("%s: %w", dir, err)
	}
	if err := info.bounded(); err != nil {
		return info, fmt.Errorf("%s: %w", path, err)
	}
	printable.All(&info)
	return info, nil
}

// LoadScenario reads the resolved scenario of a run as it was written.
func LoadScenario(dir string) ([]byte, error) {
	return files.ReadNamed(filepath.Join(dir, FileScenario), mostInfo)
}

// Attempts reads the attempts of a run one by one, in the order in which they were recorded. A file cut off by a
// killed run ends early without an error.
func Attempts(dir string) iter.Seq2[Attempt, error] {
	return func(yield func(Attempt, error) bool) {
		d, n := newDecoder(), 0
		path := filepath.Join(dir, FileAttempts)
		for line, err := range packed(path) {
			if err != nil {
				yield(Attempt{}, err)
				return
			}
			n++
			a, err := d.attempt(line)
			if err == nil {
				err = a.bounded()
			}
			if err != nil {
				yield(a, fmt.Errorf("%s, row %d: %w", path, n, err))
				return
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

// loadLines reads a file of JSON lines; a last line without its newline was cut off and is left out.
func loadLines[T interface{ bounded() error }](path string) ([]T, error) {
	b, err := files.ReadNamed(path, mostLines)
	if err != nil {
		return nil, err
	}
	out, _, err := parseLines[T](b)
	if err != nil {
		return nil, fmt.Errorf("%s, %w", path, err)
	}
	return out, nil
}

// parseLines parses the complete lines of b and returns how many bytes they took.
func parseLines[T interface{ bounded() error }](b []byte) (out []T, used int, err error) {
	for n := 1; ; n++ {
		line, _, ok := bytes.Cut(b[used:], []byte("\n"))
		if !ok {
			return out, used, nil
		}
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			return out, used, fmt.Errorf("line %d: %w", n, err)
		}
		if err := v.bounded(); err != nil {
			return out, used, fmt.Errorf("line %d: %w", n, err)
		}
		printable.All(&v)
		out = append(out, v)
		used += len(line) + 1
	}
}

// packed yields the lines of a compressed file. Each line is valid until the next one.
func packed(path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := files.Named(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20), zstd.WithDecoderLowmem(true))
		if err != nil {
			yield(nil, err)
			return
		}
		defer z.Close()
		r := bufio.NewReaderSize(z, 256<<10)
		var long []byte
		for {
			line, err := r.ReadSlice('\n')
			switch {
			case err == nil && len(long) == 0:
			case err == nil:
				long = append(long, line...)
				line = long
			case errors.Is(err, bufio.ErrBufferFull):
				if long = append(long, line...); len(long) > maxLine {
					yield(nil, fmt.Errorf("%s: a row is longer than %d bytes", path, maxLine))
					return
				}
				continue
			case cutOff(err):
				return
			default:
				yield(nil, fmt.Errorf("%s: %w", path, err))
				return
			}
			if !yield(line[:len(line)-1], nil) {
				return
			}
			long = long[:0]
		}
	}
}

// cutOff reports whether a compressed file simply ends, at its end or where its writer was killed.
func cutOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func byID(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

func sortByID(ms []Message) {
	less := func(i, j int) bool { return byID(ms[i].ID, ms[j].ID) }
	if !sort.SliceIsSorted(ms, less) {
		sort.SliceStable(ms, less)
	}
}

package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
)

// errors in one byte each; others travel as "error".
var reasons = []string{"", "timeout", "interrupted", "refused", "reset", "error"}

const (
	maxAttempts = 1 << 10
	maxNumber   = 1 << 40
)

// appendRow writes a hit as a row: a few bytes, times in nanoseconds.
func appendRow(b []byte, r harness.Hit) []byte {
	b = binary.AppendUvarint(b, r.Number)
	head := uint64(len(r.Tries)) << 1
	if r.Taken {
		head |= 1
	}
	b = binary.AppendUvarint(b, head)
	last := time.Duration(0)
	for _, a := range r.Tries {
		b = binary.AppendVarint(b, int64(a.At-last))
		b = binary.AppendVarint(b, int64(a.Done-a.At))
		b = binary.AppendUvarint(b, uint64(max(a.Status, 0)))
		b = append(b, reasonNumber(a.Error))
		last = a.Done
	}
	return b
}

func reasonNumber(s string) byte {
	for i, r := range reasons {
		if r == s {
			return byte(i)
		}
	}
	return byte(len(reasons) - 1)
}

// readRow undoes appendRow and returns what follows.
func readRow(b []byte) (harness.Hit, []byte, error) {
	in := reader{rest: b}
	r := harness.Hit{Number: in.unsigned(maxNumber)}
	head := in.unsigned(maxAttempts << 1)
	r.Taken = head&1 != 0
	n := int(head >> 1)
	if in.err == nil && n > len(in.rest)/4+1 {
		return harness.Hit{}, nil, fmt.Errorf("row of message %d: %d tries in %d bytes", r.Number, n, len(in.rest))
	}
	last := time.Duration(0)
	for range n {
		var a harness.Try
		a.At = last + time.Duration(in.signed())
		a.Done = a.At + time.Duration(in.signed())
		a.Status = int(in.unsigned(1 << 16))
		a.Error = in.reason()
		last = a.Done
		r.Tries = append(r.Tries, a)
	}
	return r, in.rest, in.err
}

// reader reads numbers; its first error stays.
type reader struct {
	rest []byte
	err  error
}

var errCut = errors.New("a row is cut short")

func (r *reader) skip(n int) bool {
	if n <= 0 && r.err == nil {
		r.err = errCut
	}
	if r.err != nil {
		return false
	}
	r.rest = r.rest[n:]
	return true
}

func (r *reader) unsigned(most uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	if !r.skip(n) {
		return 0
	}
	if v > most {
		r.err = fmt.Errorf("a row holds %d where at most %d makes sense", v, most)
		return 0
	}
	return v
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.rest)
	if !r.skip(n) {
		return 0
	}
	return v
}

func (r *reader) reason() string {
	if len(r.rest) == 0 || int(r.rest[0]) >= len(reasons) {
		r.skip(0)
		return ""
	}
	s := reasons[r.rest[0]]
	r.skip(1)
	return s
}

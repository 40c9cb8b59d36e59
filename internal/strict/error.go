package strict

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Error is one thing that is wrong in a file, told so that its reader can go and mend it.
type Error struct {
	File    string // as the reader named it
	Line    int    // from 1; 0 when the value has no place in a file (a flag)
	Column  int
	Key     string // dotted: sender.drafts.rate_limit, load.phases[2].for
	Problem string // "unknown key"
	Hint    string // "did you mean rate_limit?"
}

// Error prints june6.yaml:14: sender.drafts.rate_limitt: unknown key; did you mean rate_limit?
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			b.WriteString(":" + strconv.Itoa(e.Line))
		}
		b.WriteString(": ")
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Problem)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Errors is everything that is wrong in a file, in the order of its lines. errors.As finds the first *Error in it.
type Errors []*Error

// Error prints one line each.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, x := range e {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look at each.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, x := range e {
		out[i] = x
	}
	return out
}

// Err returns the list as an error, sorted by line and without repetitions, or nil when it is empty.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	seen := map[Error]bool{}
	var out Errors
	for _, x := range e {
		if !seen[*x] {
			seen[*x] = true
			out = append(out, x)
		}
	}
	// Errors of other files keep their place: only lines of one file can be compared.
	slices.SortStableFunc(out, func(a, b *Error) int {
		if a.File != b.File {
			return 0
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return out
}

// All returns every *Error inside err; an error of another kind becomes one with its text as the problem.
func All(err error) Errors {
	if err == nil {
		return nil
	}
	if list, ok := errors.AsType[Errors](err); ok {
		return list
	}
	if one, ok := errors.AsType[*Error](err); ok {
		return Errors{one}
	}
	return Errors{{Problem: err.Error()}}
}

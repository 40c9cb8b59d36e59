package scenarios

import (
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/internal/strict"
)

const (
	mostNumbers     = 1_000_000
	mostNumberBytes = 64 << 20
)

// ReadNumbers reads the recipients that Messages.Numbers names, beside the scenario's file; nil when it names none.
func (s *Scenario) ReadNumbers() ([]string, error) {
	if s.Messages.Numbers == "" {
		return nil, nil
	}
	file := s.Messages.Numbers
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(s.File), file)
	}
	bad := func(problem string) error {
		return &strict.Error{File: s.File, Key: "messages.numbers", Problem: problem, Hint: "one number a line, with its country code: +1 555 000 0001"}
	}
	data, err := files.Read(file, mostNumberBytes)
	if err != nil {
		return nil, bad(file + ": " + err.Error())
	}
	var out []string
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\ufeff"), ",")
		text = strings.Trim(strings.TrimSpace(text), `"`)
		number := Digits(text)
		switch {
		case text == "", strings.HasPrefix(text, "#"), n == 1 && number == "": // a comment, or the head of a CSV
			continue
		case len(number) < 5 || len(number) > 15 || strings.Trim(text, "+0123456789 ()-./") != "":
			return nil, bad(fmt.Sprintf("%s:%d: %q is not a phone number", file, n, text))
		case len(out) == mostNumbers:
			return nil, bad(fmt.Sprintf("%s has more than %d numbers", file, mostNumbers))
		}
		out = append(out, number)
	}
	switch err := lines.Err(); {
	case err != nil:
		return nil, bad(file + ": " + err.Error())
	case len(out) == 0:
		return nil, bad(file + " has no numbers")
	}
	return out, nil
}

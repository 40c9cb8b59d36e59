package intake

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// usual are the names under which logs keep what we look for, the likeliest first.
var usual = map[string][]string{
	"time": {"timestamp", "time", "ts", "@timestamp", "created_at", "sent_at", "date", "datetime", "time_iso8601", "time_local", "start_time", "msec"},
	"to":   {"to", "recipient", "phone", "wa_id", "phone_number", "customer", "contact"},
	"type": {"type", "message_type", "kind"},
	"size": {"size", "media_size", "file_size"},
	"key":  {"key", "idempotency_key", "message_id", "id", "request_id"},
}

// csvReader reads lines of separated values. A first line without a time in it is a header.
type csvReader struct {
	o       Options
	clock   clock
	sep     byte
	column  map[string]int
	started bool
	cells   []string
	names   []string
}

func newCSV(o Options) *csvReader {
	return &csvReader{o: o, clock: clock{zone: o.Zone}, column: map[string]int{}}
}

func (c *csvReader) read(line []byte) (row, error) {
	text := string(line)
	if !c.started {
		c.started = true
		c.sep = separator(text)
		header, err := c.begin(text)
		if err != nil {
			return row{}, err
		}
		if header {
			return row{}, errOther
		}
	}
	cells, err := split(text, c.sep, c.cells[:0])
	if err != nil {
		return row{}, err
	}
	c.cells = cells
	cell := func(what string) string {
		if i, ok := c.column[what]; ok && i >= 0 && i < len(cells) {
			return strings.TrimSpace(cells[i])
		}
		return ""
	}
	if i := c.column["time"]; i >= len(cells) {
		return row{}, fmt.Errorf("%d columns, and the time is in column %d", len(cells), i+1)
	}
	x := row{to: cell("to"), kind: cell("type"), key: cell("key")}
	if x.at, err = c.clock.parse(cell("time")); err != nil {
		return row{}, err
	}
	x.size, err = readSize(cell("size"))
	return x, err
}

func readSize(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is not a size in bytes", short(s))
	}
	return min(n, 16<<20), nil
}

// begin looks at the first line: is it a header, and which column is what?
func (c *csvReader) begin(text string) (header bool, err error) {
	cells, err := split(text, c.sep, nil)
	if err != nil {
		return false, err
	}
	header = !slices.ContainsFunc(cells, func(s string) bool {
		_, err := (&clock{zone: c.o.Zone}).parse(s)
		return err == nil
	})
	for i := range cells {
		name := strconv.Itoa(i + 1)
		if header {
			name = strings.ToLower(strings.TrimSpace(cells[i]))
		}
		c.names = append(c.names, name)
	}
	for what, names := range usual {
		if own := c.o.Fields[what]; own != "" {
			names = []string{strings.ToLower(own)}
		} else if !header && what != "time" {
			continue
		}
		c.column[what] = -1
		for _, n := range names {
			if i := slices.Index(c.names, n); i >= 0 {
				c.column[what] = i
				break
			}
		}
		if c.column[what] < 0 && c.o.Fields[what] != "" {
			return header, &FieldError{What: what, Name: c.o.Fields[what], Have: c.names}
		}
	}
	if !header && c.o.Fields["time"] == "" {
		c.column["time"] = slices.IndexFunc(cells, func(s string) bool {
			_, err := (&clock{zone: c.o.Zone}).parse(s)
			return err == nil
		})
	}
	if c.column["time"] < 0 {
		return header, &FieldError{What: "time", Name: "?", Have: c.names}
	}
	return header, nil
}

// FieldError is a field that was asked for, or that has to be there, and that the log does not have.
type FieldError struct {
	What, Name string
	Have       []string
}

// Error says so, and what there is.
func (e *FieldError) Error() string {
	if e.Name == "?" {
		return fmt.Sprintf("which column is the %s? the log has %s", e.What, strings.Join(e.Have, ", "))
	}
	s := fmt.Sprintf("%s=%s: the log has no such column", e.What, e.Name)
	if near := strict.Suggest(e.Name, e.Have); near != "" {
		return s + "; did you mean " + near + "?"
	}
	return s + "; it has " + strings.Join(e.Have, ", ")
}

// separator guesses what stands between the values of a line.
func separator(line string) byte {
	best, most := byte(','), 0
	for _, sep := range []byte{',', ';', '\t', '|'} {
		if n := strings.Count(line, string(sep)); n > most {
			best, most = sep, n
		}
	}
	return best
}

// split takes a line of separated values apart. A quoted value does not go over the end of its line: a quote that is
// not closed spoils one line, not the rest of the file.
func split(line string, sep byte, into []string) ([]string, error) {
	for {
		if !strings.HasPrefix(line, `"`) {
			i := strings.IndexByte(line, sep)
			if i < 0 {
				return append(into, line), nil
			}
			into, line = append(into, line[:i]), line[i+1:]
			continue
		}
		line = line[1:]
		var b strings.Builder
		for {
			i := strings.IndexByte(line, '"')
			if i < 0 {
				return into, errors.New("a quote is not closed")
			}
			b.WriteString(line[:i])
			line = line[i+1:]
			if !strings.HasPrefix(line, `"`) {
				break
			}
			b.WriteByte('"')
			line = line[1:]
		}
		into = append(into, b.String())
		switch {
		case line == "":
			return into, nil
		case line[0] != sep:
			return into, errors.New("text after a closing quote")
		}
		line = line[1:]
	}
}

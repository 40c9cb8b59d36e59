package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// jsonReader reads one JSON object a line; of an access log only the requests that are wanted. A line that is a string
// or a number alone is a time.
type jsonReader struct {
	o      Options
	access bool
	clock  clock
	fields map[string][]string
}

func newJSON(o Options, access bool) *jsonReader {
	j := &jsonReader{o: o, access: access, clock: clock{zone: o.Zone}, fields: map[string][]string{
		"method": {"method", "request_method", "verb"},
		"path":   {"path", "uri", "request_uri", "url"},
	}}
	for what, names := range usual {
		j.fields[what] = names
	}
	for what, name := range o.Fields {
		if name != "" {
			j.fields[what] = []string{name}
		}
	}
	return j
}

func (j *jsonReader) read(line []byte) (row, error) {
	line = bytes.TrimSpace(line)
	if line[0] != '{' {
		var v any
		if err := json.Unmarshal(line, &v); err != nil {
			return row{}, errors.New("not JSON")
		}
		return j.bare(v)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil || d.More() {
		return row{}, errors.New("not one JSON object")
	}
	if j.access {
		request := j.text(v, "method") + " " + j.text(v, "path")
		if r := j.lookup(v, []string{"request"}); request == " " && r != nil {
			request = fmt.Sprint(r)
		}
		if request == " " {
			return row{}, errors.New("no request in it")
		}
		if !j.o.Match.MatchString(request) {
			return row{}, errOther
		}
	}
	x := row{to: j.text(v, "to"), kind: j.text(v, "type"), key: j.text(v, "key")}
	when := j.lookup(v, j.fields["time"])
	if when == nil {
		return row{}, errors.New("no time in it: name its field, as in time=created_at")
	}
	var err error
	if x.at, err = j.clock.parse(fmt.Sprint(when)); err != nil {
		return row{}, err
	}
	x.size, err = readSize(j.text(v, "size"))
	return x, err
}

func (j *jsonReader) bare(v any) (row, error) {
	text := ""
	switch x := v.(type) {
	case string:
		text = x
	case float64:
		text = strconv.FormatFloat(x, 'f', -1, 64)
	}
	at, err := j.clock.parse(text)
	return row{at: at}, err
}

func (j *jsonReader) text(v map[string]any, what string) string {
	switch x := j.lookup(v, j.fields[what]).(type) {
	case nil, map[string]any, []any:
		return ""
	default:
		return strings.TrimSpace(fmt.Sprint(x))
	}
}

// lookup finds the first of some fields; a name with dots in it reaches into objects.
func (j *jsonReader) lookup(v map[string]any, names []string) any {
	for _, name := range names {
		if x, ok := v[name]; ok && x != nil {
			return x
		}
		inner, rest, nested := v, name, strings.Contains(name, ".")
		for nested && inner != nil {
			var head string
			head, rest, nested = strings.Cut(rest, ".")
			if !nested {
				if x := inner[head]; x != nil {
					return x
				}
				break
			}
			inner, _ = inner[head].(map[string]any)
		}
	}
	return nil
}

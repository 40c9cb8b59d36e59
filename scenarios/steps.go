package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/jsonpath"
)

// Request is one of several requests that a message takes. URL, Headers, Body, Form and When are templates, which may use
// what the steps before have taken: {{.Taken.name}}.
type Request struct {
	Name    string            `yaml:"name,omitempty"`
	Once    bool              `yaml:"once,omitempty"`   // one for all messages, and again after an answer 401: a login
	When    string            `yaml:"when,omitempty"`   // only for messages for which this is not empty: "{{.MediaURL}}"
	Method  string            `yaml:"method,omitempty"` // default POST
	URL     string            `yaml:"url"`              // a path of the target, or a whole URL
	Headers map[string]string `yaml:"headers,omitempty"`
	Body    string            `yaml:"body,omitempty"`
	Form    map[string]string `yaml:"form,omitempty"`    // fields of a form, in place of Body
	Success []int             `yaml:"success,omitempty"` // statuses with which the next request follows; default every 2xx
	Take    map[string]string `yaml:"take,omitempty"`    // name → where it is in the answer: $.path.in.json, header:NAME or cookie:NAME
}

// mostSteps bounds the requests before a message.
const mostSteps = 16

// texts are a step's templates by their keys.
func (r Request) texts(before string) map[string]string {
	out := map[string]string{before + "url": r.URL, before + "body": r.Body, before + "when": r.When}
	for k, v := range r.Headers {
		out[before+"headers."+k] = v
	}
	for k, v := range r.Form {
		out[before+"form."+k] = v
	}
	return out
}

// Source is where in an answer a value is.
type Source struct {
	JSON           *jsonpath.Path
	Header, Cookie string
}

// ParseSource reads $.path, header:NAME or cookie:NAME.
func ParseSource(text string) (Source, error) {
	name, isHeader := strings.CutPrefix(text, "header:")
	cookie, isCookie := strings.CutPrefix(text, "cookie:")
	switch name, cookie = strings.TrimSpace(name), strings.TrimSpace(cookie); {
	case isHeader && name != "":
		return Source{Header: name}, nil
	case isCookie && cookie != "":
		return Source{Cookie: cookie}, nil
	case strings.HasPrefix(text, "$"):
		p, err := jsonpath.Parse(text)
		return Source{JSON: &p}, err
	}
	return Source{}, fmt.Errorf("%q says not where the value is: write $.path.in.json, header:NAME or cookie:NAME", text)
}

func (in *inspector) steps(t *Target) {
	if t.Body != "" && len(t.Form) > 0 {
		in.bad("target.form", "stands beside a body", "write either")
	}
	if len(t.Steps) > mostSteps {
		in.bad("target.steps", fmt.Sprintf("%d steps are too many", len(t.Steps)), "at most "+strconv.Itoa(mostSteps))
	}
	for i, s := range t.Steps {
		key := "target.steps[" + strconv.Itoa(i) + "]"
		switch {
		case s.URL == "":
			in.bad(key, "has no url", "such as url: /login")
		case !strings.Contains(s.URL, "{{") && !pathAlone(s.URL):
			if problem, hint := CheckDoor(s.URL); problem != "" {
				in.bad(key+".url", problem, hint+", or a path such as /login")
			}
		}
		if s.Body != "" && len(s.Form) > 0 {
			in.bad(key+".form", "stands beside a body", "write either")
		}
		if s.Once && s.When != "" {
			in.bad(key+".when", "is about one message, and once about all", "write either")
		}
		for j, code := range s.Success {
			if code < 100 || code > 599 {
				in.bad(key+".success["+strconv.Itoa(j)+"]", fmt.Sprintf("%d is not an HTTP status", code), "such as [200, 202]")
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.Take)) {
			if _, err := ParseSource(s.Take[name]); err != nil {
				in.bad(key+".take."+name, err.Error(), "")
			}
		}
	}
}

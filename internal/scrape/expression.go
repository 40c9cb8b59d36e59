// Package scrape reads numbers off the page that a program tells its own figures on: Prometheus's text format, or JSON.
//
// An Expression says which number; Expressions are added with +. Of a Prometheus page it is a series, such as
// jobs{state="waiting"}, with the matchers = != =~ !~; several series are added, or max(…), min(…), avg(…) of them is
// taken, or count(…). Of JSON it is a path, such as $.queue.waiting, and the same functions.
package scrape

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/aftershock-dev/aftershock/internal/jsonpath"
)

// Expression is a number on a page.
type Expression struct {
	text  string
	terms []term
	json  bool
}

// term is what is added.
type term struct {
	fold     string
	path     jsonpath.Path
	name     string
	matchers []matcher
}

// matcher is one condition on a label.
type matcher struct {
	label, value string
	re           *regexp.Regexp
	not          bool
}

var (
	folds    = regexp.MustCompile(`^(sum|max|min|avg|count)\s*\(\s*(.*)\s*\)$`)
	series   = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?$`)
	matching = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|'[^']*')\s*(,|$)`)
)

// Parse reads an expression.
func Parse(text string) (*Expression, error) {
	e := &Expression{text: text}
	for i, part := range split(text) {
		t, err := parseTerm(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		if ofJSON := t.name == ""; i == 0 {
			e.json = ofJSON
		} else if e.json != ofJSON {
			return nil, fmt.Errorf("%q adds a path in JSON and a Prometheus series: a page is either", text)
		}
		e.terms = append(e.terms, t)
	}
	return e, nil
}

// split cuts at each + outside quotes and brackets.
func split(text string) []string {
	var out []string
	depth, start, quote := 0, 0, rune(0)
	for i, c := range text {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case strings.ContainsRune("({[", c):
			depth++
		case strings.ContainsRune(")}]", c):
			depth--
		case c == '+' && depth == 0:
			out, start = append(out, text[start:i]), i+1
		}
	}
	return append(out, text[start:])
}

func parseTerm(text string) (term, error) {
	t := term{fold: "sum"}
	if m := folds.FindStringSubmatch(text); m != nil {
		t.fold, text = m[1], strings.TrimSpace(m[2])
	}
	if strings.HasPrefix(text, "$") {
		p, err := jsonpath.Parse(text)
		t.path = p
		return t, err
	}
	m := series.FindStringSubmatch(text)
	if m == nil {
		return t, fmt.Errorf("%q is neither a Prometheus series, such as jobs{state=\"waiting\"}, nor a path in JSON, such as $.queue.waiting", text)
	}
	t.name = m[1]
	for rest := m[2]; strings.TrimSpace(rest) != ""; {
		c := matching.FindStringSubmatch(rest)
		if c == nil {
			return t, fmt.Errorf("%q: %s is no condition on a label, such as state=\"waiting\" or state=~\"waiting|active\"", text, strings.TrimSpace(rest))
		}
		rest = rest[len(c[0]):]
		x := matcher{label: c[1], value: c[3][1 : len(c[3])-1], not: c[2][0] == '!'}
		if strings.HasSuffix(c[2], "~") {
			re, err := regexp.Compile("^(?:" + x.value + ")$")
			if err != nil {
				return t, fmt.Errorf("%q: %w", text, err)
			}
			x.re = re
		}
		t.matchers = append(t.matchers, x)
	}
	return t, nil
}

func (e *Expression) String() string { return e.text }

// Of reads the number off a page; false when the page has nothing of it.
func (e *Expression) Of(p *Page) (float64, bool) {
	sum, any := 0.0, false
	for _, t := range e.terms {
		if v, ok := fold(t.fold, t.values(p)); ok {
			sum, any = sum+v, true
		}
	}
	return sum, any && !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

func (t term) values(p *Page) (out []float64) {
	if t.name == "" {
		for _, v := range t.path.Find(p.document) {
			if n, ok := jsonpath.Number(v); ok {
				out = append(out, n)
			}
		}
		return out
	}
	for _, s := range p.samples {
		if string(s.Metric[model.MetricNameLabel]) == t.name && t.holds(s.Metric) {
			out = append(out, float64(s.Value))
		}
	}
	return out
}

func (t term) holds(m model.Metric) bool {
	for _, x := range t.matchers {
		v := string(m[model.LabelName(x.label)])
		is := v == x.value
		if x.re != nil {
			is = x.re.MatchString(v)
		}
		if is == x.not {
			return false
		}
	}
	return true
}

func fold(how string, v []float64) (float64, bool) {
	if how == "count" {
		return float64(len(v)), true
	}
	if len(v) == 0 {
		return 0, false
	}
	out := v[0]
	for _, x := range v[1:] {
		switch how {
		case "max":
			out = max(out, x)
		case "min":
			out = min(out, x)
		default:
			out += x
		}
	}
	if how == "avg" {
		out /= float64(len(v))
	}
	return out, true
}

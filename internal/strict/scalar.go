package strict

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

var (
	intText   = regexp.MustCompile(`^[-+]?(0|[1-9][0-9_]*)$`)
	floatText = regexp.MustCompile(`^[-+]?(\.[0-9]+|(0|[1-9][0-9_]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

func (n *Node) bool() (v, ok bool) {
	switch n.Text {
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	return false, false
}

// Any returns the value as map[string]any, []any, string, int, float64, bool or nil. Quoted scalars are strings.
func (n *Node) Any() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case Map:
		m := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			m[f.Key] = f.Value.Any()
		}
		return m
	case List:
		l := make([]any, len(n.Items))
		for i, x := range n.Items {
			l[i] = x.Any()
		}
		return l
	case Null:
		return nil
	}
	if !n.Plain {
		return n.Text
	}
	if b, ok := n.bool(); ok {
		return b
	}
	bare := strings.ReplaceAll(n.Text, "_", "")
	if intText.MatchString(n.Text) {
		if v, err := strconv.Atoi(bare); err == nil {
			return v
		}
	}
	if floatText.MatchString(n.Text) {
		if v, err := strconv.ParseFloat(bare, 64); err == nil && !math.IsInf(v, 0) {
			return v
		}
	}
	return n.Text
}

// typed reports whether a plain text would mean something else than itself: a number, a boolean or nothing.
func typed(text string) bool {
	switch strings.ToLower(text) {
	case "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", "-.inf", "+.inf", ".nan":
		return true
	}
	if _, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64); err == nil {
		return true
	}
	_, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 0, 64)
	return err == nil
}

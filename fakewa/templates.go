package fakewa

import (
	"strconv"
	"strings"
)

// template answers a template message that does not fit the template; where none are configured, all fit.
func (c *Core) template(m *Message) *apiError {
	use := m.Template
	if use == nil || len(c.access.templates) == 0 {
		return nil
	}
	t, ok := c.access.templates[use.Name+"\x00"+use.Language]
	if !ok {
		return fail(132001, "template name ("+use.Name+") does not exist in "+use.Language)
	}
	switch t.Status {
	case "PAUSED":
		return fail(132015, "")
	case "DISABLED":
		return fail(132016, "")
	}
	if n := placeholders(t.Body); n != use.Body {
		return fail(132000, "body: number of localizable_params ("+strconv.Itoa(use.Body)+") does not match the expected number of params ("+strconv.Itoa(n)+")")
	}
	media := t.Header == "IMAGE" || t.Header == "VIDEO" || t.Header == "DOCUMENT" || t.Header == "LOCATION"
	want := placeholders(t.Header)
	if media {
		want = 1
	}
	if use.HeaderCount != want {
		return fail(132000, "header: number of localizable_params ("+strconv.Itoa(use.HeaderCount)+") does not match the expected number of params ("+strconv.Itoa(want)+")")
	}
	if media && !strings.EqualFold(use.Header, t.Header) {
		return fail(132012, "header: Format mismatch, expected "+t.Header+", received "+strings.ToUpper(use.Header))
	}
	if use.Buttons != t.Buttons {
		return fail(132000, "buttons: number of localizable_params ("+strconv.Itoa(use.Buttons)+") does not match the expected number of params ("+strconv.Itoa(t.Buttons)+")")
	}
	for _, name := range use.Named {
		if !strings.Contains(t.Body, "{{"+name+"}}") {
			return fail(100, "Invalid parameter name: "+name)
		}
	}
	return nil
}

// placeholders counts the different {{x}} in a text.
func placeholders(text string) int {
	seen := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(text, "{{")
		if !ok {
			return len(seen)
		}
		name, after, ok := strings.Cut(rest, "}}")
		if !ok {
			return len(seen)
		}
		seen[strings.TrimSpace(name)] = true
		text = after
	}
}

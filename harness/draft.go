package harness

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/template"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// draft is one request to someone else's sender, as templates.
type draft struct {
	method    string
	url, body *template.Template
	header    map[string]*template.Template
	form      map[string]*template.Template
}

// newDraft parses a request's templates; before is what its keys begin with in the scenario.
func newDraft(before string, r scenarios.Request) (*draft, error) {
	var first error
	parse := func(key, text string) *template.Template {
		t, err := scenarios.Template(key, text)
		if err != nil && first == nil {
			first = fmt.Errorf("%s%s: %w", before, key, err)
		}
		return t
	}
	all := func(key string, texts map[string]string) map[string]*template.Template {
		out := map[string]*template.Template{}
		for k, text := range texts {
			out[k] = parse(key+k, text)
		}
		return out
	}
	d := &draft{
		method: cmp.Or(r.Method, http.MethodPost), url: parse("url", r.URL), body: parse("body", r.Body),
		header: all("headers.", r.Headers), form: all("form.", r.Form),
	}
	return d, first
}

// render fills a template in.
func render(t *template.Template, v scenarios.TargetFields) (string, error) {
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return "", errors.New(without(err.Error(), v.Secret, v.Taken))
	}
	return b.String(), nil
}

// without is a text in which no secret stands, nor what a step took out of an answer. The longest go first: one may be a
// part of another.
func without(text string, private ...map[string]string) string {
	var all []string
	for _, values := range private {
		all = slices.AppendSeq(all, maps.Values(values))
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, v := range all {
		if v != "" {
			text = strings.ReplaceAll(text, v, "(private)")
		}
	}
	return text
}

// where is the URL that a request goes to; base takes the place of its scheme and host, and of the whole when it has a path.
func (d *draft) where(v scenarios.TargetFields, base string) (string, error) {
	text, err := render(d.url, v)
	if err != nil {
		return "", err
	}
	return rebase(text, base)
}

// request fills the rest in.
func (d *draft) request(ctx context.Context, v scenarios.TargetFields, where string) (*http.Request, error) {
	text, err := render(d.body, v)
	if err != nil {
		return nil, err
	}
	kind := "application/json"
	if len(d.form) > 0 {
		values := url.Values{}
		for k, t := range d.form {
			value, err := render(t, v)
			if err != nil {
				return nil, err
			}
			values.Set(k, value)
		}
		text, kind = values.Encode(), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(ctx, d.method, where, strings.NewReader(text))
	if err != nil || req.URL.Host == "" || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, errNoURL
	}
	for k, t := range d.header {
		value, err := render(t, v)
		if err != nil {
			return nil, err
		}
		req.Header.Set(k, value)
	}
	if req.Header.Get("Content-Type") == "" && (text != "" || d.method != http.MethodGet) {
		req.Header.Set("Content-Type", kind)
	}
	return req, nil
}

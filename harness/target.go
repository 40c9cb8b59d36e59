package harness

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"text/template"

	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// targeted is the request form of someone else's sender, from the scenario's target block.
type targeted struct {
	method  string
	base    string // in place of the scheme and host of the target's URL; "" keeps them
	url     *template.Template
	body    *template.Template
	header  map[string]*template.Template
	success []int
	idem    bool
	fake    string
	secrets map[string]string
}

func newTargeted(sc *scenarios.Scenario, base, fake string) (*targeted, error) {
	t := sc.Target
	secrets, err := sc.ReadSecrets()
	if err != nil {
		return nil, err
	}
	f := &targeted{
		method: t.Method, base: base, header: map[string]*template.Template{}, success: t.Success,
		idem: sc.Client.IdempotencyKey, fake: fake, secrets: secrets,
	}
	if f.method == "" {
		f.method = http.MethodPost
	}
	parse := func(key, text string) *template.Template {
		tpl, e := scenarios.Template(key, text)
		if e != nil && err == nil {
			err = fmt.Errorf("target.%s: %w", key, e)
		}
		return tpl
	}
	f.url, f.body = parse("url", t.URL), parse("body", t.Body)
	for k, v := range t.Headers {
		f.header[k] = parse("headers."+k, v)
	}
	if err != nil {
		return nil, err
	}
	req, err := f.request(context.Background(), message{number: 1, to: "15550000000", kind: "text"}, 1)
	if err == nil {
		err = offlimits.Check(req.Context(), req.URL.String())
	}
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return f, nil
}

func (f *targeted) request(ctx context.Context, m message, _ int) (*http.Request, error) {
	v := scenarios.TargetFields{
		To: m.to, Text: "Your order is on its way " + m.ref(), MediaURL: m.media, Key: m.id(), Type: m.kind,
		Class: m.class, Tenant: m.tenant, FakeWA: f.fake, Secret: f.secrets,
	}
	render := func(tpl *template.Template) (string, error) {
		var b bytes.Buffer
		err := tpl.Execute(&b, v)
		return b.String(), err
	}
	where, err := render(f.url)
	if err != nil {
		return nil, err
	}
	if where, err = rebase(where, f.base); err != nil {
		return nil, err
	}
	body, err := render(f.body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, f.method, where, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	for k, tpl := range f.header {
		h, err := render(tpl)
		if err != nil {
			return nil, err
		}
		req.Header.Set(k, h)
	}
	if f.idem && req.Header.Get("Idempotency-Key") == "" {
		req.Header.Set("Idempotency-Key", m.id())
	}
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// rebase keeps path and query of a URL and takes scheme and host from base, so that --target can point a scenario at
// another host. A base with a path of its own stands for the whole URL.
func rebase(where, base string) (string, error) {
	if base == "" {
		return where, nil
	}
	b, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	if b.Path != "" && b.Path != "/" {
		return base, nil
	}
	w, err := url.Parse(where)
	if err != nil {
		return "", err
	}
	w.Scheme, w.Host = b.Scheme, b.Host
	return w.String(), nil
}

func (f *targeted) taken(status int) bool {
	if len(f.success) == 0 {
		return status >= 200 && status < 300
	}
	return slices.Contains(f.success, status)
}

package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// targeted is the request form of someone else's sender, from the scenario's target block.
type targeted struct {
	base    string // in place of the scheme and host of the target's URL; "" keeps them
	send    *draft
	steps   *steps // nil without
	success []int
	idem    bool
	fake    string
	secrets map[string]string
	check   check
}

// check refuses a URL that load must not reach: offlimits.Check, or CheckName in virtual time.
type check func(ctx context.Context, url string) error

func newTargeted(sc *scenarios.Scenario, base, fake string, allow check) (*targeted, error) {
	t := sc.Target
	secrets, err := sc.ReadSecrets()
	if err != nil {
		return nil, err
	}
	f := &targeted{base: base, success: t.Success, idem: sc.Client.IdempotencyKey, fake: fake, secrets: secrets, check: allow}
	f.send, err = newDraft("target.", scenarios.Request{Method: t.Method, URL: t.URL, Headers: t.Headers, Body: t.Body, Form: t.Form})
	if err != nil {
		return nil, err
	}
	if f.steps, err = newSteps(f, t.Steps); err != nil {
		return nil, err
	}
	m := message{number: 1, to: "15550000000", kind: "text"}
	v := f.fields(m, f.steps.placeholders())
	where, err := f.send.where(v, f.base)
	if err == nil {
		_, err = f.send.request(context.Background(), v, where)
	}
	if err == nil {
		err = f.check(context.Background(), where)
	}
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	return f, nil
}

// fields are what templates may use for a message.
func (f *targeted) fields(m message, taken map[string]string) scenarios.TargetFields {
	return scenarios.TargetFields{
		To: m.to, Text: words + " " + m.ref(), MediaURL: m.media, Key: m.id(), Type: m.kind,
		Class: m.class, Tenant: m.tenant, FakeWA: f.fake, Secret: f.secrets, Taken: taken,
	}
}

func (f *targeted) request(ctx context.Context, m message, _ int) (*http.Request, error) {
	v := f.fields(m, takenIn(ctx))
	where, err := f.send.where(v, f.base)
	if err != nil {
		return nil, err
	}
	req, err := f.send.request(ctx, v, where)
	if err != nil {
		return nil, err
	}
	if f.idem && req.Header.Get("Idempotency-Key") == "" {
		req.Header.Set("Idempotency-Key", m.id())
	}
	return req, nil
}

// errNoURL says nothing of what was made: a secret may be in it, and stand in an error that is kept.
var errNoURL = errors.New("what the template makes is no URL\nhint: {{… | urlquery}} writes what a URL cannot hold")

// rebase keeps path and query of a URL and takes scheme and host from base, so that --target can point a scenario at
// another host. A base with a path of its own stands for the whole URL.
func rebase(where, base string) (string, error) {
	w, err := url.Parse(where)
	if err != nil {
		return "", errNoURL
	}
	if base == "" {
		return where, nil
	}
	b, err := url.Parse(base)
	if err != nil {
		return "", errNoURL
	}
	if b.Path != "" && b.Path != "/" {
		return base, nil
	}
	w.Scheme, w.Host = b.Scheme, b.Host
	return w.String(), nil
}

func (f *targeted) taken(status int) bool { return success(f.success, status) }

// success tells whether a status is one of those that count; without any, every 2xx does.
func success(list []int, status int) bool {
	if len(list) == 0 {
		return status >= 200 && status < 300
	}
	return slices.Contains(list, status)
}

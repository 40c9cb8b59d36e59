package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/aftershock-dev/aftershock/internal/jsonpath"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// steps are the requests that someone else's sender wants before it takes a message: a login once, an upload for each. What
// they take from answers is for the requests after them; it stands in no record and no error.
type steps struct {
	form *targeted
	all  []*stage

	hosts sync.Map // host → whether load may go there, as error
	turn  chan struct{}
	mu    sync.Mutex
	once  map[string]string // taken for all messages
	round int               // of logins, to tell an old 401 from a new one
	fresh bool              // the steps for all messages have been made
}

// stage is one step.
type stage struct {
	name    string
	step    scenarios.Request
	draft   *draft
	when    *template.Template // nil: always
	sources map[string]scenarios.Source
}

const (
	mostAnswer = 1 << 20  // bytes of an answer that are read
	mostTaken  = 64 << 10 // bytes of one value
)

func newSteps(f *targeted, requests []scenarios.Request) (*steps, error) {
	if len(requests) == 0 {
		return nil, nil
	}
	s := &steps{form: f, turn: make(chan struct{}, 1), once: map[string]string{}}
	taken := map[string]string{}
	for i, r := range requests {
		before := "target.steps[" + strconv.Itoa(i) + "]."
		d, err := newDraft(before, r)
		if err != nil {
			return nil, err
		}
		g := &stage{name: cmp.Or(r.Name, strconv.Itoa(i+1)), step: r, draft: d, sources: map[string]scenarios.Source{}}
		if r.When != "" {
			if g.when, err = scenarios.Template("when", r.When); err != nil {
				return nil, fmt.Errorf("%swhen: %w", before, err)
			}
		}
		for name, text := range r.Take {
			if g.sources[name], err = scenarios.ParseSource(text); err != nil {
				return nil, fmt.Errorf("%stake.%s: %w", before, name, err)
			}
		}
		s.all = append(s.all, g)
		v := f.fields(message{number: 1, to: "15550000000", kind: "text"}, maps.Clone(taken))
		where, err := s.where(g, v)
		if err == nil && !strings.Contains(r.URL, ".Taken") {
			err = s.allowed(context.Background(), where)
		}
		if err != nil {
			return nil, fmt.Errorf("%surl: %w", before, err)
		}
		for name := range r.Take {
			taken[name] = "1"
		}
	}
	return s, nil
}

// placeholders stand for what the steps take, before they have taken anything.
func (s *steps) placeholders() map[string]string {
	out := map[string]string{}
	if s != nil {
		for _, g := range s.all {
			for name := range g.sources {
				out[name] = "1"
			}
		}
	}
	return out
}

// where is a step's URL. A path is one of the target's, and a URL on the target's own host goes where the target went.
func (s *steps) where(g *stage, v scenarios.TargetFields) (string, error) {
	text, err := g.draft.where(v, "")
	if err != nil {
		return "", err
	}
	where, err := url.Parse(text)
	if err != nil {
		return "", errNoURL
	}
	front, err := s.form.send.where(v, "")
	if err != nil {
		return "", err
	}
	own, err := url.Parse(front)
	if err != nil {
		return "", errNoURL
	}
	if !strings.HasPrefix(text, "/") && (where.Host != own.Host || where.Host == "") {
		return text, nil
	}
	base := own
	if u, err := url.Parse(s.form.base); err == nil && u.Host != "" {
		base = u // a path in it is that of the message
	}
	where.Scheme, where.Host = base.Scheme, base.Host
	return where.String(), nil
}

// allowed refuses a host of Meta's: an answer may name any.
func (s *steps) allowed(ctx context.Context, where string) error {
	u, err := url.Parse(where)
	if err != nil {
		return errNoURL
	}
	if known, ok := s.hosts.Load(u.Host); ok {
		err, _ := known.(error)
		return err
	}
	err = s.form.check(ctx, where)
	if ctx.Err() == nil {
		s.hosts.Store(u.Host, err)
	}
	return err
}

// stepError says which step failed, and never what was sent or answered.
type stepError struct {
	name string
	why  string
}

func (e *stepError) Error() string { return "step " + e.name + ": " + e.why }

type takenKey struct{}

// takenIn is what the steps of a message have taken.
func takenIn(ctx context.Context) map[string]string {
	taken, _ := ctx.Value(takenKey{}).(map[string]string)
	return taken
}

// before makes the steps of a message, those that are not done yet, and returns a context with what they took. kept is
// what the steps of earlier attempts took; it is added to. A status is that of the answer with which a step failed.
func (s *steps) before(ctx context.Context, m message, through http.RoundTripper, kept map[string]string) (_ context.Context, round, status int, err error) {
	taken, round, status, err := s.forAll(ctx, m, through)
	if err != nil {
		return ctx, round, status, err
	}
	maps.Copy(taken, kept)
	for i, g := range s.all {
		done := "step " + strconv.Itoa(i) // no template can name it
		if g.step.Once || kept[done] != "" {
			continue
		}
		v := s.form.fields(m, taken)
		if g.when != nil {
			if text, err := render(g.when, v); err != nil || strings.TrimSpace(text) == "" || text == "false" {
				for name := range g.sources { // nothing was taken: templates find it empty
					taken[name] = ""
				}
				continue
			}
		}
		got, status, err := s.make(ctx, g, v, through)
		if err != nil {
			return ctx, round, status, err
		}
		maps.Copy(taken, got)
		maps.Copy(kept, got)
		kept[done] = "done"
	}
	return context.WithValue(ctx, takenKey{}, taken), round, 0, nil
}

// forAll makes the steps that are made once, unless somebody has. One message makes them, and the others wait.
func (s *steps) forAll(ctx context.Context, m message, through http.RoundTripper) (taken map[string]string, round, status int, err error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, 0, 0, ctx.Err()
	}
	s.mu.Lock()
	taken, round, fresh := maps.Clone(s.once), s.round, s.fresh
	s.mu.Unlock()
	if fresh {
		return taken, round, 0, nil
	}
	for _, g := range s.all {
		if !g.step.Once {
			continue
		}
		got, status, err := s.make(ctx, g, s.form.fields(m, taken), through)
		if err != nil {
			return nil, round, status, err
		}
		maps.Copy(taken, got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.once, s.fresh = maps.Clone(taken), true
	return taken, s.round, 0, nil
}

// refused has the steps for all messages made again, after an answer 401 to what a round of them took.
func (s *steps) refused(round int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fresh && s.round == round {
		s.fresh, s.once = false, map[string]string{}
		s.round++
	}
}

// make makes one step.
func (s *steps) make(ctx context.Context, g *stage, v scenarios.TargetFields, through http.RoundTripper) (taken map[string]string, status int, err error) {
	where, err := s.where(g, v)
	if err == nil {
		err = s.allowed(ctx, where)
	}
	if err != nil {
		return nil, 0, &stepError{g.name, "its url cannot be used"}
	}
	req, err := g.draft.request(ctx, v, where)
	if err != nil {
		return nil, 0, &stepError{g.name, "its request cannot be written"}
	}
	resp, err := through.RoundTrip(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return nil, 0, err
	}
	if !success(g.step.Success, resp.StatusCode) {
		return nil, resp.StatusCode, &stepError{g.name, "answered " + strconv.Itoa(resp.StatusCode)}
	}
	taken, err = g.take(resp, body)
	return taken, resp.StatusCode, err
}

// take reads what the step takes from its answer.
func (g *stage) take(resp *http.Response, body []byte) (map[string]string, error) {
	taken := map[string]string{}
	var document any
	for name, from := range g.sources {
		var value string
		switch {
		case from.Header != "":
			value = resp.Header.Get(from.Header)
		case from.Cookie != "":
			for _, c := range resp.Cookies() {
				if c.Name == from.Cookie {
					value = c.Value
				}
			}
		default:
			if document == nil {
				var err error
				if document, err = jsonpath.Read(body); err != nil {
					return nil, &stepError{g.name, "its answer is not JSON"}
				}
			}
			if found := from.JSON.Find(document); len(found) > 0 && found[0] != nil {
				value = jsonpath.Text(found[0])
			}
		}
		switch {
		case value == "":
			return nil, &stepError{g.name, "its answer has no " + g.step.Take[name]}
		case len(value) > mostTaken:
			return nil, &stepError{g.name, "what its answer has at " + g.step.Take[name] + " is too long"}
		}
		taken[name] = value
	}
	return taken, nil
}

// attemptSteps makes the steps before an attempt; it fills in the attempt when one of them failed.
func (c *caller) attemptSteps(ctx context.Context, m message, kept map[string]string, t *Try) (_ context.Context, round int, err error) {
	f, ok := c.form.(*targeted)
	if !ok || f.steps == nil {
		return ctx, 0, nil
	}
	ctx, round, status, err := f.steps.before(ctx, m, c.next, kept)
	if err == nil {
		return ctx, round, nil
	}
	t.Done, t.Error, t.Status = time.Since(c.start), reason(err), status
	var step *stepError
	if errors.As(err, &step) && status > 0 && !f.taken(status) {
		c.renew(round, status)
		err = nil // an answer, though not to the message: whether it is asked again follows from the status
	}
	if err != nil {
		t.Status = 0
	}
	return ctx, round, errStepFailed{err}
}

// errStepFailed ends an attempt before its message was sent; within is nil when the step was answered.
type errStepFailed struct{ within error }

func (e errStepFailed) Error() string { return "a step before the message failed" }

// renew has the steps for all messages made again when an answer says that what they took holds no longer.
func (c *caller) renew(round, status int) {
	if f, ok := c.form.(*targeted); ok && f.steps != nil && status == http.StatusUnauthorized {
		f.steps.refused(round)
	}
}

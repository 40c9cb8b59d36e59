package dash

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Remote is a run of another process, by its socket or its URL. It is a Source and a Control.
type Remote struct {
	base   string
	token  string
	client *http.Client
	silent time.Duration // a stream without a sign of life for so long is taken for dead
	retry  time.Duration // pause before the first new connection; it doubles up to 5 s
}

// AttachSocket returns the run behind a unix socket.
func AttachSocket(path string) *Remote {
	return &Remote{base: "http://run", silent: 3 * heartbeat, retry: 250 * time.Millisecond, client: &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", path)
			},
			ResponseHeaderTimeout: 10 * time.Second,
		},
	}}
}

// AttachURL returns the run that serves viewers at a URL.
func AttachURL(raw, token string) (*Remote, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("watch %q: %w", raw, err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("watch %q: want a URL such as http://127.0.0.1:9090", raw)
	}
	if u.User != nil {
		return nil, fmt.Errorf("watch %q: a token goes into AFTERSHOCK_TOKEN or --token-file, not into the URL", u.Redacted())
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = 10 * time.Second
	return &Remote{base: strings.TrimRight(u.String(), "/"), token: token, silent: 3 * heartbeat, retry: 250 * time.Millisecond,
		client: &http.Client{Transport: t}}, nil
}

// errRefused marks answers that asking again will not change.
type errRefused struct{ error }

// Items follows the run. When the connection breaks, it says so, connects again and goes on where it was.
func (r *Remote) Items(ctx context.Context, after string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		defer r.client.CloseIdleConnections()
		wait, ever := r.retry, false
		for {
			ended, going := false, true
			err := r.stream(ctx, after, func(it Item) bool {
				if it.Next != "" {
					after = it.Next
				}
				wait, ever = r.retry, true
				going = yield(it, nil)
				return going
			}, &ended)
			var refused errRefused
			switch {
			case !going || ctx.Err() != nil || ended:
				return
			case errors.As(err, &refused) || !ever:
				yield(Item{}, fmt.Errorf("watch %s: %w", r.base, err))
				return
			}
			why := "the stream was cut"
			if err != nil {
				why = err.Error()
			}
			if !yield(Item{Lost: why}, nil) || !sleepUntil(ctx, time.Now().Add(wait)) {
				return
			}
			wait = min(2*wait, 5*time.Second)
		}
	}
}

// stream reads one connection until it breaks or the run ends. It returns early without an error when take says so.
func (r *Remote) stream(ctx context.Context, after string, take func(Item) bool, ended *bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := r.request(ctx, http.MethodGet, "/events", nil)
	if err != nil {
		return err
	}
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	dead := time.AfterFunc(r.silent, cancel)
	defer dead.Stop()
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := refusal(resp); err != nil {
		return err
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 64<<10), 8<<20)
	var ev sse
	for lines.Scan() {
		dead.Reset(r.silent)
		if !ev.line(lines.Bytes()) {
			continue
		}
		switch ev.name {
		case "end":
			*ended = true
			return nil
		case "failed":
			return errRefused{fmt.Errorf("the run's record cannot be read there: %s", ev.data)}
		}
		var it Item
		if len(ev.data) > 0 {
			if err := json.Unmarshal(ev.data, &it); err != nil {
				return errRefused{fmt.Errorf("not a run's stream: %w", err)}
			}
		}
		it.Next = ev.id
		ev.name, ev.data = "", ev.data[:0]
		if !take(it) {
			return nil
		}
	}
	return lines.Err()
}

// sse gathers the lines of one server-sent event.
type sse struct {
	id, name string
	data     []byte
}

// line takes one line and reports whether it completed an event or was a sign of life.
func (e *sse) line(b []byte) (complete bool) {
	if len(b) == 0 {
		return len(e.data) > 0
	}
	key, value, _ := bytes.Cut(b, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(key) {
	case "":
		return len(e.data) == 0 // a comment: a sign of life
	case "id":
		e.id = string(value)
	case "event":
		e.name = string(value)
	case "data":
		e.data = append(e.data, value...)
	}
	return false
}

func (r *Remote) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err != nil {
		return nil, err
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	return req, nil
}

// refusal turns an answer other than 200 into an error.
func refusal(resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	why := strings.TrimSpace(string(b))
	if why == "" {
		why = resp.Status
	}
	err := errors.New(why)
	if resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode >= 502 {
		return err
	}
	return errRefused{err}
}

// order asks the run's control for something.
func (r *Remote) order(o Order) (path string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	b, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	req, err := r.request(ctx, http.MethodPost, "/control", bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if err := refusal(resp); err != nil {
		return "", err
	}
	var did struct {
		Path string `json:"path"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxOrder)).Decode(&did)
	return did.Path, err
}

// Pause holds the run, or lets it go on.
func (r *Remote) Pause(on bool) error { return r.do(Order{Do: "pause", On: on}) }

// Abort ends the run early.
func (r *Remote) Abort() error { return r.do(Order{Do: "abort"}) }

// Speed sets how many scenario seconds pass in a second.
func (r *Remote) Speed(x float64) error { return r.do(Order{Do: "speed", X: x}) }

// Mark writes a note into the record.
func (r *Remote) Mark(note string) error { return r.do(Order{Do: "mark", Note: note}) }

// Apply does one step of a timeline now.
func (r *Remote) Apply(step string) error { return r.do(Order{Do: "apply", Step: step}) }

// Report writes the documents of the run so far, on the run's machine.
func (r *Remote) Report() (string, error) { return r.order(Order{Do: "report"}) }

func (r *Remote) do(o Order) error {
	_, err := r.order(o)
	return err
}

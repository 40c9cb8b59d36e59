// Package control drives a running fake over HTTP: faults in, ledger out.
package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/fakewa"
)

// Client talks to the control doors of one fake.
type Client struct {
	URL   string       // of the control doors, without a trailing slash
	Token string       // where they are guarded
	HTTP  *http.Client // nil means http.DefaultClient
}

// Error is an answer other than 2xx.
type Error struct {
	Status int
	Text   string
}

// Error prints what the fake said.
func (e *Error) Error() string { return fmt.Sprintf("the fake answered %d: %s", e.Status, e.Text) }

// Apply puts a fault in force, written in YAML as in a scenario, in place of the one with the same id.
func (c *Client) Apply(ctx context.Context, id string, fault []byte) error {
	return c.call(ctx, "PUT", "/faults/"+url.PathEscape(id), fault, nil)
}

// Clear takes a fault out of force. It returns an error that wraps fakewa.ErrNoFault when there is none.
func (c *Client) Clear(ctx context.Context, id string) error {
	err := c.call(ctx, "DELETE", "/faults/"+url.PathEscape(id), nil, nil)
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusNotFound {
		return fmt.Errorf("clear fault %q: %w", id, fakewa.ErrNoFault)
	}
	return err
}

// Faults returns the faults in force.
func (c *Client) Faults(ctx context.Context) (list []fakewa.ActiveFault, err error) {
	return list, c.call(ctx, "GET", "/faults", nil, &list)
}

// Set changes settings: the keys to change, in YAML.
func (c *Client) Set(ctx context.Context, yaml []byte) error {
	return c.call(ctx, "PUT", "/settings", yaml, nil)
}

// Effective returns every setting in force, by dotted key.
func (c *Client) Effective(ctx context.Context) (out map[string]string, err error) {
	return out, c.call(ctx, "GET", "/settings", nil, &out)
}

// Summary returns the ledger in numbers.
func (c *Client) Summary(ctx context.Context) (sum fakewa.Summary, err error) {
	return sum, c.call(ctx, "GET", "/ledger/summary", nil, &sum)
}

// Receive lets a user write to the business, and returns the message's id.
func (c *Client) Receive(ctx context.Context, in fakewa.Inbound) (string, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("inbound: %w", err)
	}
	var out struct {
		ID string `json:"id"`
	}
	return out.ID, c.call(ctx, "POST", "/inbound", body, &out)
}

// Verify lets the fake ask its callback for the challenge.
func (c *Client) Verify(ctx context.Context) error {
	return c.call(ctx, "POST", "/webhook/verify", nil, nil)
}

// Reset makes the fake forget everything but its settings.
func (c *Client) Reset(ctx context.Context) error { return c.call(ctx, "POST", "/reset", nil, nil) }

// After returns up to limit entries of the ledger with a sequence number above seq, in order.
func (c *Client) After(ctx context.Context, seq int64, limit int) ([]fakewa.Entry, error) {
	var out []fakewa.Entry
	err := c.Each(ctx, url.Values{"after": {strconv.FormatInt(seq, 10)}, "limit": {strconv.Itoa(limit)}}, func(e fakewa.Entry) error {
		out = append(out, e)
		return nil
	})
	return out, err
}

// Each reads the ledger as it streams: what selects and follows is said by the query of GET /ledger. It ends with the
// stream, with ctx, or with the first error of f.
func (c *Client) Each(ctx context.Context, query url.Values, f func(fakewa.Entry) error) error {
	res, err := c.do(ctx, "GET", "/ledger?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e fakewa.Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return err
		}
		if err := f(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	return nil
}

// call makes one call and reads its answer into out, where one is wanted.
func (c *Client) call(ctx context.Context, method, path string, body []byte, out any) error {
	res, err := c.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	var said struct {
		Error string `json:"error"`
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if json.Unmarshal(text, &said) != nil || said.Error == "" || err != nil {
		said.Error = strings.TrimSpace(string(text))
	}
	return nil, &Error{Status: res.StatusCode, Text: said.Error}
}

package remote

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aftershock-dev/aftershock/harness/part"
)

// client reaches the control door of parts.
type client struct {
	http *http.Client
	key  string
	door string
}

func newClient(key, door string) *client {
	return &client{key: key, door: door, http: &http.Client{Timeout: 30 * time.Second, Transport: part.NewTransport()}}
}

// do makes one request at a unit's control door; read takes the answer's body.
func (c *client) do(ctx context.Context, u Unit, method, path string, body []byte, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, method, u.URL(c.door)+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", u.Name(), err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
		return fmt.Errorf("%s: %s", u.Name(), bytes.TrimSpace(text))
	}
	if read == nil {
		return nil
	}
	if err := read(resp.Body); err != nil {
		return fmt.Errorf("%s: read the answer to %s: %w", u.Name(), path, err)
	}
	return nil
}

func inJSON(v any) func(io.Reader) error {
	return func(r io.Reader) error { return json.NewDecoder(r).Decode(v) }
}

func inGob(v any) func(io.Reader) error {
	return func(r io.Reader) error { return gob.NewDecoder(r).Decode(v) }
}

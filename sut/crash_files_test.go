package sut_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCrashAndTheQueuesFiles kills a sender with a backlog and does something to its queue's files. It starts all the same,
// its backlog is what waits, what was on its way at the kill comes again at once and not when a lease has run out, and each
// message that it acknowledged is sent, once, or says that it was lost.
func TestCrashAndTheQueuesFiles(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		some   bool // some messages are lost
	}{
		{"nothing happens", func(*testing.T, string) {}, false},
		{"all are gone", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) }, true},
		{"messages are gone", func(t *testing.T, dir string) {
			each(t, dir, ".blk", func(path string, _ []byte) error { return os.Remove(path) })
		}, true},
		{"messages are overwritten", func(t *testing.T, dir string) {
			r := rand.New(rand.NewPCG(1, 2))
			each(t, dir, ".blk", func(path string, b []byte) error {
				for i := len(b) / 3; i < len(b)/2; i++ {
					b[i] = byte(r.Uint32())
				}
				return os.WriteFile(path, b, 0o600)
			})
		}, true},
		{"messages are cut off", func(t *testing.T, dir string) {
			each(t, dir, ".blk", func(path string, b []byte) error { return os.Truncate(path, int64(len(b)/2)) })
		}, true},
		{"streams are not described", func(t *testing.T, dir string) {
			each(t, dir, "meta.inf", func(path string, b []byte) error { return os.WriteFile(path, b[:len(b)/2], 0o600) })
		}, false},
		{"consumers are forgotten", func(t *testing.T, dir string) {
			each(t, dir, "o.dat", func(path string, b []byte) error { return os.WriteFile(path, b[:len(b)/2], 0o600) })
		}, false},
		{"consumers are overwritten", func(t *testing.T, dir string) {
			each(t, dir, "o.dat", func(path string, b []byte) error {
				for i := range b {
					b[i] ^= 0x55
				}
				return os.WriteFile(path, b, 0o600)
			})
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			damaged(t, c.damage, c.some)
		})
	}
}

func damaged(t *testing.T, damage func(*testing.T, string), some bool) {
	const n = 60
	w := newWitness(t)
	w.slow = "text-1"
	api := httptest.NewServer(w)
	defer api.Close()
	spec := childSpec{
		API: api.URL + "/v24.0", Data: t.TempDir(), Listen: w.address,
		Settings: "preset: hardened\nsimulate: false\ndrafts: {rate_limit: 10/min, burst: 3, classes: {transactional: {hold: 5s}}}\n",
	}
	sender := start(t, spec)
	ready(t, w.address)
	ids := map[string]string{}
	for i := range n {
		ids[fmt.Sprintf("text-%d", i)] = create(t, w.address, i)
	}
	time.Sleep(300 * time.Millisecond) // the slow one is on its way
	_ = sender.Process.Kill()
	_ = sender.Wait()
	damage(t, filepath.Join(spec.Data, "jetstream"))
	sender = start(t, spec)
	defer func() { _ = sender.Process.Kill() }()
	ready(t, w.address)
	if !some {
		backlog(t, w.address, n-3)
	}
	req, _ := http.NewRequest(http.MethodPatch, "http://"+w.address+"/v1/settings", strings.NewReader("drafts: {rate_limit: 50/s}"))
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	resp.Body.Close()
	restarted := time.Now()
	lost := 0
	for text, id := range ids {
		state := ending(t, w.address, id, restarted.Add(30*time.Second))
		w.mu.Lock()
		copies := w.copies[text]
		w.mu.Unlock()
		switch {
		case len(copies) > 1:
			t.Errorf("%s was accepted as %v", text, copies)
		case len(copies) == 0 && !strings.Contains(state, "lost"):
			t.Errorf("%s was not accepted, and says %s", text, state)
		case len(copies) == 0:
			lost++
		}
	}
	if some != (lost > 0) {
		t.Errorf("%d of %d messages say that they are lost", lost, n)
	}
	close(w.giveUp)
	w.hooks.Wait()
}

// create posts one message and returns its id.
func create(t *testing.T, address string, i int) string {
	t.Helper()
	req, _ := http.NewRequest(http.MethodPost, "http://"+address+"/v1/messages", strings.NewReader(fmt.Sprintf(`{"to":"+1555000%04d","text":"text-%d"}`, i, i)))
	req.Header.Set("Idempotency-Key", fmt.Sprint("key-", i))
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var got struct{ ID string }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("message %d: %d, %v", i, resp.StatusCode, err)
	}
	return got.ID
}

// ending is how a message ends, or how it stands when that takes too long.
func ending(t *testing.T, address, id string, until time.Time) string {
	t.Helper()
	for {
		resp, err := http.Get("http://" + address + "/v1/messages/" + id)
		must(t, err)
		var got struct {
			State, Reason string
			Final         bool
		}
		err = json.NewDecoder(resp.Body).Decode(&got)
		resp.Body.Close()
		if err == nil && got.Final || time.Now().After(until) {
			return fmt.Sprint(got.State, ": ", got.Reason)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// backlog waits for what a sender says of its backlog.
func backlog(t *testing.T, address string, least int) {
	t.Helper()
	said := ""
	for range 50 {
		said = health(address)
		var got struct{ Backlog int }
		if json.Unmarshal([]byte(said), &got) == nil && got.Backlog >= least {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%d and more wait, and the sender says %s", least, said)
}

// each does something to the files whose name ends so.
func each(t *testing.T, dir, end string, do func(path string, b []byte) error) {
	t.Helper()
	n := 0
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, end) {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		return do(path, b)
	}))
	if n == 0 {
		t.Fatalf("no file of %s ends in %s", dir, end)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

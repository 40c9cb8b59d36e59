package queue_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/sut/queue"
)

// Whatever happened to one of a queue's files, the queue opens and works.
func TestDamagedFileStopsNoQueue(t *testing.T) {
	dir := t.TempDir()
	var finished []string
	fill := func(q *queue.Streamed, ctx context.Context) {
		for i := range 20 {
			it := queue.Item{ID: fmt.Sprint("i", i), Body: []byte("x")}
			if i%4 == 3 {
				it.NotBefore = time.Now().Add(2 * time.Second)
			}
			if err := q.Put(ctx, it); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 6 {
			c, err := q.Take(ctx, "")
			if err != nil {
				t.Fatal(err)
			}
			if i < 3 {
				finished = append(finished, c.Item().ID)
			}
			switch i {
			case 0, 1:
				err = c.Ack(ctx)
			case 2:
				err = c.Dead(ctx, "reason")
			case 3:
				err = c.Retry(ctx, 3*time.Second, []byte("again"))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	q := openStreamed(t, queue.Config{Lease: time.Minute}, queue.JetStream{Dir: dir, Unsynced: true})
	fill(q, t.Context())
	if err := q.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, path := range files(t, dir) {
		for name, damage := range map[string]func(b []byte) []byte{
			"gone": nil, "cut off": func(b []byte) []byte { return b[:len(b)/2] },
			"garbled": func(b []byte) []byte { return bytes.Repeat([]byte{0x7f}, len(b)) },
		} {
			t.Run(path+" "+name, func(t *testing.T) {
				t.Parallel()
				broken := t.TempDir()
				if err := os.CopyFS(broken, os.DirFS(dir)); err != nil {
					t.Fatal(err)
				}
				at := filepath.Join(broken, path)
				b, err := os.ReadFile(at)
				if err != nil {
					t.Fatal(err)
				}
				if damage == nil {
					err = os.Remove(at)
				} else {
					err = os.WriteFile(at, damage(b), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				q, err := queue.OpenJetStream(ctx, queue.Config{Lease: time.Minute}, queue.JetStream{Dir: broken, Unsynced: true})
				if err != nil {
					t.Fatal(err)
				}
				if err := q.Put(ctx, queue.Item{ID: "new", Body: []byte("new")}); err != nil {
					t.Fatal(err)
				}
				all := map[string]bool{"new": true}
				if filepath.Ext(path) != ".blk" { // no item was damaged: each comes that was not finished
					for i := range 20 {
						all[fmt.Sprint("i", i)] = true
					}
					for _, id := range finished {
						delete(all, id)
					}
				}
				for len(all) > 0 {
					c, err := q.Take(ctx, "")
					if err != nil {
						t.Fatalf("%v do not come: %v", slices.Sorted(maps.Keys(all)), err)
					}
					delete(all, c.Item().ID)
					if err := c.Ack(ctx); err != nil {
						t.Fatal(err)
					}
				}
				if err := q.Stored(ctx, func(*queue.Item, string) {}); err != nil {
					t.Error(err)
				}
				if err := q.Close(context.Background()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// files lists the files below a directory.
func files(t *testing.T, dir string) (paths []string) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		paths = append(paths, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// A consumer whose file was damaged takes items for delivered that are not: whoever opens the queue makes it anew, and every
// item comes.
func TestDamagedConsumersAreMadeAnew(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"cut off": func(b []byte) []byte { return b[:len(b)/2] },
		"empty":   func([]byte) []byte { return nil },
		"garbled": func(b []byte) []byte { return bytes.Map(func(r rune) rune { return r ^ 0x55 }, b) },
		"ones":    func(b []byte) []byte { return bytes.Repeat([]byte{0x7f}, len(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			q := openStreamed(t, queue.Config{Lease: time.Minute}, queue.JetStream{Dir: dir, Unsynced: true})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for i := range 20 {
				if err := q.Put(ctx, queue.Item{ID: fmt.Sprint("i", i), Body: []byte("x")}); err != nil {
					t.Fatal(err)
				}
			}
			for i := range 5 {
				c, err := q.Take(ctx, "")
				if err != nil {
					t.Fatal(err)
				}
				if i < 3 && c.Ack(ctx) != nil {
					t.Fatal(err)
				}
			}
			if err := q.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			n := 0
			err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.Name() != "o.dat" {
					return err
				}
				n++
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				return os.WriteFile(path, damage(b), 0o600)
			})
			if err != nil || n == 0 {
				t.Fatalf("%d files, %v", n, err)
			}
			q = openStreamed(t, queue.Config{Lease: time.Minute}, queue.JetStream{Dir: dir, Unsynced: true})
			for i := range 17 {
				c, err := q.Take(ctx, "")
				if err != nil {
					t.Fatalf("%d of 17 items came: %v", i, err)
				}
				if err := c.Ack(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if err := q.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
		})
	}
}

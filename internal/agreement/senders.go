package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aftershock-dev/aftershock/reports"
)

// senders are those of examples/, which are not ours: libfaketime squeezes their time.
var senders = []struct{ title, name string }{
	{"BullMQ on Node", "bullmq"}, {"Python, threads", "python"}, {"Ruby, threads", "ruby"},
}

// paces are how fast they run: the first is what they think.
var paces = []world{
	{"real time", []string{"--compress", "1"}, false},
	{"10 times as fast", []string{"--compress", "10"}, false},
}

// runSenders prints a table for each sender.
func runSenders(ctx context.Context, out io.Writer, program, dir string) error {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "agreement-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	for _, s := range senders {
		t := trial{name: s.name, args: []string{filepath.Join("examples", s.name, "scenario.yaml")}}
		var all []reports.Summary
		for _, w := range paces {
			summary, ok := kept(filepath.Join(dir, t.name+"-"+w.name))
			if !ok {
				var err error
				if summary, err = t.in(ctx, w, program, dir); err != nil {
					return fmt.Errorf("%s, %s: %w", t.name, w.name, err)
				}
			}
			all = append(all, summary)
		}
		fmt.Fprintf(out, "### %s\n\n%s\n", s.title, table(paces, all, nil))
	}
	return nil
}

// kept is the summary of a run that was made before.
func kept(dir string) (s reports.Summary, ok bool) {
	b, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	return s, err == nil && json.Unmarshal(b, &s) == nil
}

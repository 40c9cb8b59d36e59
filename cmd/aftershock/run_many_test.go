package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// What the machine spoilt is run again as often as was allowed, kept beside, and told to the run that follows.
func TestAgainWhileTheMachineHinders(t *testing.T) {
	full := []string{"the machine was full"}
	for _, c := range []struct {
		name            string
		retries, spoilt int
		err             error
		made            int
	}{
		{"no retries", 0, 5, nil, 1},
		{"a run that can be believed", 3, 0, nil, 1},
		{"two were spoilt", 3, 2, nil, 3},
		{"all were spoilt", 3, 9, nil, 4},
		{"a run that failed", 3, 9, errors.New("no port"), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, made := filepath.Join(t.TempDir(), "run"), 0
			var log strings.Builder
			var told []record.Retried
			err := again(&log, c.retries, dir, func(earlier []record.Retried) ([]string, error) {
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err) // the folder of the attempt before is still there
				}
				made, told = made+1, earlier
				if c.err != nil {
					return nil, c.err
				}
				if made <= c.spoilt {
					return full, nil
				}
				return nil, nil
			})
			if !errors.Is(err, c.err) || made != c.made {
				t.Errorf("%d attempts, %v; want %d", made, err, c.made)
			}
			if len(told) != made-1 || strings.Count(log.String(), "running again") != made-1 {
				t.Errorf("the last of %d attempts was told %v, and people %q", made, told, log.String())
			}
			for _, e := range told {
				if _, err := os.Stat(filepath.Join(filepath.Dir(dir), e.Folder)); err != nil || e.Why[0] != full[0] {
					t.Errorf("%+v: %v", e, err)
				}
				if filepath.Dir(e.Folder) != "invalid" {
					t.Errorf("%s would be taken for one of the runs beside it", e.Folder)
				}
			}
		})
	}
}

package main

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aftershock-dev/aftershock/harness/hunt"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// exits CODE COMMAND ARGS...: runs a command and demands this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGS...]")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("exits: %q is not an exit code", args[0])
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var e *exec.ExitError
	if errors.As(err, &e) {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("exits: %v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// replays DIR: what a hunt found and wrote into its folder comes to the digest that it gives, and breaks its promise again.
func replays(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: replays DIR")
	}
	var log hunt.Log
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0]+"/"+hunt.FileLog)), &log); err != nil || len(log.Found) == 0 {
		ts.Fatalf("%s: %d findings, %v", args[0], len(log.Found), err)
	}
	for _, f := range log.Found {
		dir := args[0] + "/run-" + strconv.FormatInt(f.Seed, 10)
		var e *exec.ExitError
		if err := ts.Exec("aftershock", "run", args[0]+"/"+f.File, "--ui", "none", "--out", dir); !errors.As(err, &e) || e.ExitCode() != exitMissed {
			ts.Fatalf("%s: %v", f.File, err)
		}
		var info record.Info
		if err := json.Unmarshal([]byte(ts.ReadFile(dir+"/"+record.FileInfo)), &info); err != nil || info.Digest != f.Digest && !raced {
			ts.Fatalf("%s: digest %s, found with %s, %v", f.File, info.Digest, f.Digest, err)
		}
	}
}

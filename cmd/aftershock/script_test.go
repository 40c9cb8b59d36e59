package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The command is tested as its users meet it: shell sessions in testdata/script, with exit codes and messages.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"aftershock": func() { os.Exit(run(os.Args[1:])) },
	})
}

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

package main

import (
	"net"
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
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Setenv("FREE", l.Addr().String()) // an address that nobody listens on
			return l.Close()
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "replays": replays},
	})
}

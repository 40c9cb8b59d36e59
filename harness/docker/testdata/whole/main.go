// Command whole is every part of the system and nothing else: what the tests run in containers.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/aftershock-dev/aftershock/harness/part"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	spec, err := part.Load(os.Args[2:])
	if err == nil {
		err = part.Run(ctx, spec)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

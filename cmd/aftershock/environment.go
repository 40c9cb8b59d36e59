package main

import (
	"context"

	"github.com/aftershock-dev/aftershock/harness/docker"
	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/harness/local/proc"
	"github.com/aftershock-dev/aftershock/harness/remote"
)

// elsewhere returns what builds the system of an environment outside this process, or nil for the embedded one.
func (f *runFlags) elsewhere(o local.Options) func(context.Context) (*remote.System, error) {
	ro := remote.Options{
		Scenario: o.Scenario, Compress: f.compress, Queue: f.queue, NATS: f.nats, Run: o.Info.ID,
		Outside: remote.Outside{URL: f.target},
	}
	switch f.env {
	case "processes", "external":
		return func(ctx context.Context) (*remote.System, error) {
			return proc.Build(ctx, proc.Options{Options: ro, Dir: o.Dir})
		}
	case "containers":
		return func(ctx context.Context) (*remote.System, error) {
			return docker.Build(ctx, docker.Options{Options: ro, Dir: o.Dir})
		}
	}
	return nil
}

package remote

import (
	"context"
	"time"
)

// Engine runs parts of the system outside this process: as child processes, or as containers.
type Engine interface {
	// Start runs a part and returns when it is ready, or with an error that says why it is not.
	Start(ctx context.Context, p Part) (Unit, error)
	// Name is the environment's name in records: processes, containers.
	Name() string
	// Close ends every part and removes all that it left, except logs.
	Close() error
}

// Part is one thing to run: our own binary with some arguments.
type Part struct {
	Name  string            // drafts, whatsapp/1; unique within the system
	Doors []string          // what it listens on; the engine chooses the addresses
	Ready string            // path on the first door that answers 200 when the part is ready; empty: a connection is enough
	Files map[string][]byte // files that it finds when it starts
	Env   map[string]string
	// Args makes the arguments, once the engine knows where the part listens (host:port by door) and where its files are.
	Args func(listen map[string]string, file func(name string) string) []string
	// Image runs another program than ours, where the engine can: it listens on Port, whatever the engine chooses.
	Image string
	Port  int

	Within time.Duration // to be ready; default 30 s
}

// Unit is a part that runs, or ran.
type Unit interface {
	Name() string
	// URL is where a door is reached from here; Inside, from the other parts. Both without a trailing slash.
	URL(door string) string
	Inside(door string) string
	// Alive reports whether it still runs; when it has ended by itself, why tells how.
	Alive() (ok bool, why string)

	Kill(ctx context.Context) error  // ends it at once
	Stop(ctx context.Context) error  // lets it finish, for a while
	Start(ctx context.Context) error // runs it again, after Kill or Stop, at the same addresses
	Pause(ctx context.Context) error
	Resume(ctx context.Context) error
	Cut(ctx context.Context) error // takes it off the network
	Heal(ctx context.Context) error

	Usage(ctx context.Context) (Usage, error)
}

// Usage is what a part has used of the machine.
type Usage struct {
	CPU    time.Duration // since it was first started
	Memory int64         // resident bytes, now
}

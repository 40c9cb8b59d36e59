package remote

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Engine runs parts of the system outside this process: as child processes, or as containers.
type Engine interface {
	// Place decides where a part will be and tells where its doors are reached from the other parts, as host:port.
	Place(p Part) (inside map[string]string, err error)
	// Add gives a part its place and its addresses; nothing runs before its Start.
	Add(ctx context.Context, p Part) (Unit, error)
	// Name is the environment's name in records: processes, containers.
	Name() string
	// Close ends every part and removes all that it left, except logs.
	Close() error
}

// Sharer is an engine whose parts may share their machine with the load.
type Sharer interface {
	Cores() int // of the machine that they share; 0 when the parts are elsewhere
}

// Share is how many of a machine's cores each of the programs that share it should use at a time, the parts and the load
// alike: threads of each that look for work on every core take it from the others.
func Share(cores int) int { return max(1, cores/2) }

// Part is one thing to run: our own binary with some arguments, or somebody else's program.
type Part struct {
	Name  string            // drafts, whatsapp/1; unique within the system
	Doors []string          // what it listens on; the engine chooses the addresses
	Ready string            // path on the first door that answers 200 when the part is ready; empty: a connection is enough
	Files map[string][]byte // files that it finds when it starts
	Env   map[string]string
	// Args makes the arguments, once the engine knows where the part listens (host:port by door) and where its files are.
	Args func(listen map[string]string, file func(name string) string) []string
	// Listen fixes addresses, by door, where the engine would choose them.
	Listen map[string]string
	// Image runs another program than ours, where the engine can: it listens on Port, whatever the engine chooses.
	Image string
	Port  int

	// Program is somebody else's program on this machine, where the engine can: its first word with Args as arguments.
	Program *Program

	Within time.Duration // to be ready; default 30 s
}

// Program is a program that is not ours.
type Program struct {
	Name   string // as a shell would find it
	Folder string // that it works in
	// Env is its whole environment, told at every start.
	Env func(listen map[string]string) []string
	// Check doubts, by its number, a process that it is made of, once it is ready; may be nil.
	Check func(pid int) error
}

// Unit is a part that runs, or ran.
type Unit interface {
	Name() string
	// URL is where a door is reached from here; Inside, from the other parts: both as http://host:port. URL may change
	// with every Start.
	URL(door string) string
	Inside(door string) string
	// Alive reports whether it still runs; when it has ended by itself, why tells how.
	Alive() (ok bool, why string)

	Start(ctx context.Context) error // returns when it is ready, or with an error that says why it is not; again after Kill or Stop
	Kill(ctx context.Context) error  // ends it at once
	Stop(ctx context.Context) error  // lets it finish, for a while
	Pause(ctx context.Context) error
	Resume(ctx context.Context) error
	Cut(ctx context.Context) error // takes it off the network
	Heal(ctx context.Context) error

	Usage(ctx context.Context) (Usage, error)
}

// Delayer is a unit whose network can be made slow.
type Delayer interface {
	Delay(ctx context.Context, by time.Duration) error // of all that it sends; 0 ends it
}

// Usage is what a part has used of the machine.
type Usage struct {
	CPU    time.Duration // since it was first started
	Memory int64         // resident bytes, now
}

// start adds a part and starts it.
func start(ctx context.Context, e Engine, p Part) (Unit, error) {
	u, err := e.Add(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("add %s: %w", p.Name, err)
	}
	return u, u.Start(ctx)
}

// Await returns when a part answers, with an error when ended says that it cannot any more, or when ctx ends first.
func Await(ctx context.Context, p Part, url func(door string) string, ended func() error) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for {
		if err := ended(); err != nil {
			return err
		}
		if len(p.Doors) == 0 {
			return nil
		}
		status, ok := answers(ctx, client, url(p.Doors[0]), p.Ready)
		if ok {
			return nil
		}
		if status != 0 {
			last = fmt.Sprintf(" but %d %s; 200 says that it is ready", status, http.StatusText(status))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w%s", context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}

// answers asks one door once, and returns the status of an answer that does not say ready.
func answers(ctx context.Context, client *http.Client, url, ready string) (status int, ok bool) {
	if ready == "" {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
		return 0, err == nil && conn.Close() == nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+ready, nil)
	if err != nil {
		return 0, false
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	resp.Body.Close()
	return resp.StatusCode, resp.StatusCode == http.StatusOK
}

// within is how long a part may take to be ready.
func (p Part) within() time.Duration { return cmp.Or(p.Within, 30*time.Second) }

// Deadline returns a context that ends when the part has taken too long to be ready.
func (p Part) Deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, p.within(), fmt.Errorf("no answer from %q within %v", cmp.Or(p.Ready, "its port"), p.within()))
}

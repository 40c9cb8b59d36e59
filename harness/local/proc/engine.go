package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/harness/remote"
)

// Engine starts child processes. Whatever happens to this process, they end with it.
type Engine struct {
	exe string
	dir string // holds a folder for each part

	starts  chan func() // carried out on one thread that lives as long as the engine
	starter sync.WaitGroup
	waits   sync.WaitGroup // for the ends of children

	mu       sync.Mutex
	children []*child
	placed   map[string]map[string]string // addresses of parts that have not been added, by name and door
	closed   bool
}

// NewEngine returns an engine that runs exe (empty: this program). Each child has a folder of its own below dir, which
// keeps what it was given and its output (log.txt); what it stored there itself is removed in the end.
func NewEngine(exe, dir string) (*Engine, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	var err error
	if exe == "" {
		if exe, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find this program's file: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for the processes: %w", err)
	}
	e := &Engine{exe: exe, dir: dir, starts: make(chan func())}
	e.starter.Go(func() {
		// Linux ends a child when the thread that made it ends: so one thread makes them all, and lives on.
		runtime.LockOSThread()
		giveSlack(slack)
		for start := range e.starts {
			start()
		}
		giveSlack(0)
		runtime.UnlockOSThread()
	})
	return e, nil
}

// slack is how late the kernel may let the timers of a part fire, so that several fire at once. Linux allows 50 µs otherwise.
const slack = 500 * time.Microsecond

// Name implements remote.Engine.
func (e *Engine) Name() string { return "processes" }

// Cores implements remote.Sharer.
func (e *Engine) Cores() int { return runtime.NumCPU() }

// Place implements remote.Engine.
func (e *Engine) Place(p remote.Part) (map[string]string, error) {
	listen, err := freePorts(p.Doors)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.placed == nil {
		e.placed = map[string]map[string]string{}
	}
	e.placed[p.Name] = listen
	return listen, nil
}

// Add implements remote.Engine.
func (e *Engine) Add(_ context.Context, p remote.Part) (remote.Unit, error) {
	if p.Image != "" {
		return nil, fmt.Errorf("image %s runs in a container: use --env containers", p.Image)
	}
	if err := runs(p); err != nil {
		return nil, err
	}
	c := &child{engine: e, part: p, dir: filepath.Join(e.dir, strings.ReplaceAll(p.Name, "/", "-"))}
	e.mu.Lock()
	c.listen, c.told = e.placed[p.Name]
	e.mu.Unlock()
	if !c.told {
		var err error
		if c.listen, err = freePorts(p.Doors); err != nil {
			return nil, err
		}
	}
	for door, addr := range p.Listen {
		c.listen[door], c.told = addr, true
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	for name, data := range p.Files {
		if err := os.WriteFile(filepath.Join(c.dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	e.children = append(e.children, c)
	return c, nil
}

var errClosed = errors.New("the system is being taken down")

// onThread runs f on the engine's thread.
func (e *Engine) onThread(f func() error) error {
	done := make(chan error, 1)
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return errClosed
	}
	e.starts <- func() { done <- f() }
	e.mu.Unlock()
	return <-done
}

// Close implements remote.Engine: every child is asked to stop, then killed, and waited for.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	children := e.children
	close(e.starts)
	e.mu.Unlock()
	e.starter.Wait() // a child that is just being made is there now

	errs := make([]error, len(children))
	var stops sync.WaitGroup
	for i, c := range children {
		stops.Go(func() {
			errs[i] = errors.Join(c.Stop(context.Background()), c.clean())
		})
	}
	stops.Wait()
	e.waits.Wait()
	return errors.Join(errs...)
}

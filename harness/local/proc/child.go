package proc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/harness/internal/used"
	"github.com/aftershock-dev/aftershock/harness/remote"
)

// child is one part as a process. It may be started, ended and started again.
type child struct {
	engine *Engine
	part   remote.Part
	dir    string
	listen map[string]string // door → host:port; changes only while nobody has been told

	mu      sync.Mutex
	process *os.Process
	ended   chan struct{} // closed when the current process has been waited for
	meant   bool          // it was ended on purpose
	why     string        // how it ended by itself
	told    bool          // somebody knows the addresses
	logged  int64         // length of the log when it was started
	cpu     time.Duration // of processes that have ended
}

// stopWithin is how long a part may take to finish before it is killed.
const stopWithin = 10 * time.Second

func (c *child) Name() string { return c.part.Name }

func (c *child) URL(door string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = true
	return "http://" + c.listen[door]
}

func (c *child) Inside(door string) string { return c.URL(door) }

// Start implements remote.Unit.
func (c *child) Start(ctx context.Context) error {
	if ok, _ := c.Alive(); ok {
		return fmt.Errorf("start %s: it runs already", c.part.Name)
	}
	const tries = 3 // a port that was free a moment ago may be taken now
	for try := 1; ; try++ {
		err := c.startOnce(ctx)
		if err == nil {
			return nil
		}
		c.mu.Lock()
		told := c.told
		c.mu.Unlock()
		if told || try == tries || !c.portTaken() {
			return fmt.Errorf("start %s: %w", c.part.Name, err)
		}
		if c.listen, err = freePorts(c.part.Doors); err != nil {
			return err
		}
	}
}

func (c *child) startOnce(ctx context.Context) error {
	if err := c.engine.onThread(c.launch); err != nil {
		return err
	}
	ctx, cancel := c.part.Deadline(ctx)
	defer cancel()
	err := remote.Await(ctx, c.part, func(door string) string { return "http://" + c.listen[door] }, func() error {
		if ok, why := c.Alive(); !ok {
			return errors.New(why)
		}
		return nil
	})
	if err == nil {
		err = c.check()
	}
	if err == nil {
		return nil
	}
	tail := c.tail()
	_ = c.Kill(ctx)
	return fmt.Errorf("%w%s", err, tail)
}

// launch makes the process and a goroutine that waits for its end.
func (c *child) launch() error {
	if c.part.Program != nil {
		return c.launchProgram()
	}
	out, err := os.OpenFile(c.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	info, err := out.Stat()
	if err != nil {
		return err
	}
	args := c.part.Args(c.listen, func(name string) string { return filepath.Join(c.dir, name) })
	cmd := exec.Command(c.engine.exe, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = os.Environ()
	for k, v := range c.part.Env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		return err
	}
	c.follow(cmd, info.Size(), func() {})
	return nil
}

// follow notes that a process runs, and waits for its end; after is done before the end is told.
func (c *child) follow(cmd *exec.Cmd, logged int64, after func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ended := make(chan struct{})
	c.process, c.ended, c.meant, c.why, c.logged = cmd.Process, ended, false, "", logged
	c.engine.waits.Go(func() {
		err := cmd.Wait()
		after()
		c.mu.Lock()
		defer c.mu.Unlock()
		if s := cmd.ProcessState; s != nil {
			c.cpu += s.UserTime() + s.SystemTime()
		}
		if !c.meant {
			c.why = "it ended by itself: " + exitText(err)
		}
		close(ended)
	})
}

func exitText(err error) string {
	if err == nil {
		return "exit 0"
	}
	return err.Error()
}

// Alive implements remote.Unit.
func (c *child) Alive() (bool, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		return false, "it has not been started"
	}
	select {
	case <-c.ended:
		return false, c.why
	default:
		return true, ""
	}
}

// Kill implements remote.Unit.
func (c *child) Kill(context.Context) error {
	process, ended := c.end()
	if process == nil {
		return nil
	}
	err := sendSignal(process, kill)
	<-ended
	return err
}

// end notes that the current process is about to be ended on purpose, and returns it; nil when none runs.
func (c *child) end() (*os.Process, chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		return nil, nil
	}
	select {
	case <-c.ended:
		return nil, nil
	default:
	}
	c.meant = true
	return c.process, c.ended
}

// Stop implements remote.Unit.
func (c *child) Stop(ctx context.Context) error {
	process, ended := c.end()
	if process == nil {
		return nil
	}
	if err := errors.Join(sendSignal(process, terminate), sendSignal(process, carryOn)); err != nil { // one that is paused hears nothing
		return err
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-ended:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return c.Kill(ctx)
}

// Pause implements remote.Unit.
func (c *child) Pause(ctx context.Context) error {
	if err := c.signalNow(halt); err != nil {
		return err
	}
	for !used.Stopped(c.process.Pid) && ctx.Err() == nil { // its threads stop one after another
		time.Sleep(time.Millisecond)
	}
	return ctx.Err()
}

// Resume implements remote.Unit.
func (c *child) Resume(context.Context) error { return c.signalNow(carryOn) }

// Cut implements remote.Unit: processes share the machine's network.
func (c *child) Cut(context.Context) error {
	return fmt.Errorf("%s cannot be cut off: processes share one network; use --env containers, or pause it", c.part.Name)
}

// Heal implements remote.Unit.
func (c *child) Heal(context.Context) error { return nil }

func (c *child) signalNow(s sign) error {
	if ok, _ := c.Alive(); !ok {
		return fmt.Errorf("%s does not run", c.part.Name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return sendSignal(c.process, s)
}

// Usage implements remote.Unit.
func (c *child) Usage(context.Context) (remote.Usage, error) {
	ok, _ := c.Alive()
	c.mu.Lock()
	defer c.mu.Unlock()
	u := remote.Usage{CPU: c.cpu}
	if !ok {
		return u, nil
	}
	sample := used.By
	if c.part.Program != nil { // it may be a shell, or npm, that waits for another
		sample = used.Group
	}
	cpu, memory, err := sample(c.process.Pid)
	u.CPU += cpu
	u.Memory = memory
	return u, err
}

// output is what the current process has printed, its end when that is long.
func (c *child) output() []byte {
	const most = 4 << 10
	f, err := os.Open(c.log())
	if err != nil {
		return nil
	}
	defer f.Close()
	c.mu.Lock()
	from := c.logged
	c.mu.Unlock()
	if info, err := f.Stat(); err == nil {
		if from > info.Size() { // it has been begun anew since
			from = 0
		}
		from = max(from, info.Size()-most)
	}
	b, _ := io.ReadAll(io.NewSectionReader(f, from, most))
	return b
}

// tail is the last lines of output, as the end of an error.
func (c *child) tail() string {
	lines := strings.Split(strings.TrimSpace(string(c.output())), "\n")
	if lines[0] == "" && len(lines) == 1 {
		return ""
	}
	lines = lines[max(0, len(lines)-5):]
	return ":\n  " + strings.Join(lines, "\n  ") + "\n  (all of it: " + c.log() + ")"
}

func (c *child) portTaken() bool {
	return bytes.Contains(c.output(), []byte("address already in use"))
}

// freePorts finds an address for each door that nobody listens on.
func freePorts(doors []string) (map[string]string, error) {
	out := map[string]string{}
	var held []net.Listener
	var errs []error
	for _, d := range slices.Compact(doors) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			errs = append(errs, fmt.Errorf("find a free port: %w", err))
			break
		}
		held = append(held, l)
		out[d] = l.Addr().String()
	}
	for _, l := range held {
		errs = append(errs, l.Close())
	}
	return out, errors.Join(errs...)
}

func (c *child) log() string { return filepath.Join(c.dir, logName) }

// clean removes what the part stored; what it was given and what it said stays.
func (c *child) clean() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if _, given := c.part.Files[e.Name()]; !given && e.Name() != logName && e.Name() != earlierName {
			errs = append(errs, os.RemoveAll(filepath.Join(c.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

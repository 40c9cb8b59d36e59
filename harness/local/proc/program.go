package proc

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/harness/internal/used"
	"github.com/aftershock-dev/aftershock/harness/remote"
)

// launchProgram makes the process of a program that is not ours: what it prints is kept within bounds, and whatever it
// has started ends with it, and with us.
func (c *child) launchProgram() error {
	for _, addr := range c.listen {
		if err := vacant(addr); err != nil {
			return err
		}
	}
	cmd, err := c.command()
	if err != nil {
		return err
	}
	kept, err := openLog(c.dir)
	if err != nil {
		return err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return errors.Join(err, kept.Close())
	}
	cmd.Stdout, cmd.Stderr = in, in
	logged := kept.size
	if err := errors.Join(cmd.Start(), in.Close()); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", c.part.Program.Name, err), out.Close(), kept.Close())
	}
	warden, err := watch(cmd.Process.Pid)
	if err != nil {
		_ = sendSignal(cmd.Process, kill)
		_ = cmd.Wait()
		return errors.Join(err, out.Close(), kept.Close())
	}
	copied := make(chan struct{})
	c.engine.waits.Go(func() {
		defer close(copied)
		_, _ = io.Copy(kept, out)
		_ = kept.Close()
	})
	c.follow(cmd, logged, func() {
		_ = sendSignal(cmd.Process, kill) // what the program started and left behind
		warden.dismiss()
		select {
		case <-copied:
		case <-time.After(time.Second): // somebody who left the group holds the pipe
		}
		_ = out.Close()
	})
	return nil
}

// check has every process of a program doubted that is ready.
func (c *child) check() error {
	if c.part.Program == nil || c.part.Program.Check == nil {
		return nil
	}
	for _, pid := range used.Members(c.process.Pid) {
		if err := c.part.Program.Check(pid); err != nil {
			return err
		}
	}
	return nil
}

// command is the program with its arguments, folder and environment.
func (c *child) command() (*exec.Cmd, error) {
	p := c.part.Program
	cmd := exec.Command(p.Name, c.part.Args(c.listen, nil)...)
	if cmd.Err != nil {
		return nil, missing(p.Name, cmd.Err)
	}
	cmd.Dir = p.Folder
	cmd.Env = p.Env(c.listen)
	cmd.SysProcAttr = attributes()
	return cmd, nil
}

// vacant refuses an address that something listens on: it would be taken for the program.
func vacant(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("its port is taken: %w\nhint: end what listens there, or write the url as a path and let the program listen on {{.Port}}", err)
	}
	return l.Close()
}

// warden ends a group of processes when this process ends in any way, also by a kill that nobody can catch.
type warden struct {
	cmd  *exec.Cmd
	line io.Closer
}

// watch starts a shell that waits for the end of a pipe that this process alone holds open.
func watch(group int) (*warden, error) {
	cmd := exec.Command("/bin/sh", "-c", `read _; kill -KILL -"$1"`, "sh", strconv.Itoa(group))
	cmd.Env = []string{}
	cmd.SysProcAttr = detached()
	line, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("watch over the program: %w", err)
	}
	return &warden{cmd, line}, nil
}

// dismiss ends the warden, which has nobody to watch over any more.
func (w *warden) dismiss() {
	_ = w.cmd.Process.Kill()
	_ = w.cmd.Wait()
	_ = w.line.Close()
}

func missing(program string, err error) error {
	return fmt.Errorf("%s is not a program that can be found: %w\nhint: install it, or write its path", program, err)
}

// runs says whether a part's program can be found, before anything is started.
func runs(p remote.Part) error {
	if p.Program == nil || strings.Contains(p.Program.Name, "/") {
		return nil
	}
	if _, err := exec.LookPath(p.Program.Name); err != nil {
		return missing(p.Program.Name, err)
	}
	return nil
}

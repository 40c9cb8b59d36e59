package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// owner marks what one engine made, of all engines that ever were.
const owner = "dev.aftershock.engine"

// janitor is a process that removes what this one leaves behind when it ends in any way, also by a second Ctrl-C or by a
// kill that nobody can catch: it waits for the end of a pipe that this process alone holds open.
type janitor struct {
	cmd  *exec.Cmd
	line io.Closer
}

// hire starts a janitor by the command, which is given what Clean has to know.
func hire(command []string, engine, image string) (*janitor, error) {
	cmd := exec.Command(command[0], append(command[1:], engine, image)...)
	cmd.SysProcAttr = aloof()
	line, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start what removes containers that are left behind: %w", err)
	}
	return &janitor{cmd, line}, nil
}

// leave sends the janitor home when everything is removed, and lets it try once more when not.
func (j *janitor) leave(clean bool) {
	if clean {
		_ = j.cmd.Process.Kill()
	}
	_ = j.line.Close()
	_ = j.cmd.Wait()
}

// Clean waits until line ends, and then removes the containers and networks of an engine, and the image that it built if it
// names one.
func Clean(ctx context.Context, line io.Reader, engine, image string) error {
	if _, err := io.Copy(io.Discard, line); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, closeWithin)
	defer cancel()
	c, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	defer c.Close()
	mine := make(client.Filters).Add("label", owner+"="+engine)
	for { // a container may have been on its way when its engine died
		boxes, err := c.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: mine})
		if err != nil {
			return err
		}
		for _, b := range boxes.Items {
			_, e := c.ContainerRemove(ctx, b.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			err = errors.Join(err, unlessGone(e))
		}
		nets, e := c.NetworkList(ctx, client.NetworkListOptions{Filters: mine})
		err = errors.Join(err, e)
		for _, n := range nets.Items {
			_, e := c.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
			err = errors.Join(err, unlessGone(e))
		}
		if err != nil || len(boxes.Items) == 0 && len(nets.Items) == 0 {
			if image != "" {
				_, e := c.ImageRemove(ctx, image, client.ImageRemoveOptions{PruneChildren: true})
				err = errors.Join(err, unlessGone(e))
			}
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// unlessGone is an error of removing something that is still there and ours alone.
func unlessGone(err error) error {
	if errdefs.IsNotFound(err) || errdefs.IsConflict(err) {
		return nil
	}
	return err
}

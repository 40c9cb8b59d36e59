package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/harness/remote"
)

// box is one part as a container. It may be started, ended and started again.
type box struct {
	engine    *Engine
	part      remote.Part
	host      string                  // its name in the network
	ports     map[string]network.Port // by door
	dir       string
	id        string
	container testcontainers.Container

	mu    sync.Mutex
	urls  map[string]string // by door, as published since the last start
	ended chan struct{}     // closed when the container no longer runs
	meant bool              // it was ended on purpose
	why   string            // how it ended by itself
	base  time.Duration     // CPU time of earlier lives
	last  time.Duration     // CPU time when last read
}

func (b *box) Name() string { return b.part.Name }

func (b *box) URL(door string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u := b.urls[door]; u != "" {
		return u
	}
	return "http://" + net.JoinHostPort(b.engine.host, "1") // nobody listens there
}

func (b *box) Inside(door string) string {
	return fmt.Sprintf("http://%s:%d", b.host, b.ports[door].Num())
}

// Start implements remote.Unit.
func (b *box) Start(ctx context.Context) error {
	if ok, _ := b.Alive(); ok {
		return fmt.Errorf("start %s: it runs already", b.part.Name)
	}
	ctx, cancel := b.part.Deadline(ctx)
	defer cancel()
	if err := b.container.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w%s", b.part.Name, err, b.tail())
	}
	b.attend()
	err := b.published(ctx)
	if err == nil {
		err = remote.Await(ctx, b.part, b.URL, func() error {
			if ok, why := b.Alive(); !ok {
				return errors.New(why)
			}
			return nil
		})
	}
	if err != nil {
		_ = b.Kill(context.WithoutCancel(ctx))
		return fmt.Errorf("start %s: %w%s", b.part.Name, err, b.tail())
	}
	return nil
}

// attend notices the container's end.
func (b *box) attend() {
	ended := make(chan struct{})
	b.mu.Lock()
	b.ended, b.meant, b.why = ended, false, ""
	b.base, b.last = b.base+b.last, 0
	b.mu.Unlock()
	w := b.engine.client.ContainerWait(context.Background(), b.id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	b.engine.waits.Go(func() {
		why := ""
		select {
		case r := <-w.Result:
			why = fmt.Sprintf("it ended by itself: exit status %d", r.StatusCode)
		case err := <-w.Error:
			why = fmt.Sprintf("it can no longer be watched: %v", err)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.meant {
			b.why = why
		}
		close(ended)
	})
}

// published finds out where the engine put the ports, which changes with every start.
func (b *box) published(ctx context.Context) error {
	info, err := b.engine.client.ContainerInspect(ctx, b.id, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	urls := map[string]string{}
	for door, port := range b.ports {
		for _, bound := range info.Container.NetworkSettings.Ports[port] {
			urls[door] = "http://" + net.JoinHostPort(b.engine.host, bound.HostPort)
		}
		if urls[door] == "" && info.Container.State.Running {
			return fmt.Errorf("port %s of %s is not published", port, b.host)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.urls = urls
	return nil
}

// Alive implements remote.Unit.
func (b *box) Alive() (bool, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended == nil {
		return false, "it has not been started"
	}
	select {
	case <-b.ended:
		return false, b.why
	default:
		return true, ""
	}
}

// end notes that the container is about to be ended on purpose; nil when it does not run.
func (b *box) end() chan struct{} {
	if ok, _ := b.Alive(); !ok {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.meant = true
	return b.ended
}

// Kill implements remote.Unit.
func (b *box) Kill(ctx context.Context) error {
	ended := b.end()
	if ended == nil {
		return nil
	}
	_, err := b.engine.client.ContainerKill(ctx, b.id, client.ContainerKillOptions{Signal: "SIGKILL"})
	return b.gone(ctx, ended, err)
}

// Stop implements remote.Unit.
func (b *box) Stop(ctx context.Context) error {
	ended := b.end()
	if ended == nil {
		return nil
	}
	_, _ = b.engine.client.ContainerUnpause(ctx, b.id, client.ContainerUnpauseOptions{}) // one that is paused hears nothing
	within := 10
	_, err := b.engine.client.ContainerStop(ctx, b.id, client.ContainerStopOptions{Timeout: &within})
	return b.gone(ctx, ended, err)
}

// gone waits until the container has ended.
func (b *box) gone(ctx context.Context, ended chan struct{}, err error) error {
	select {
	case <-ended:
		return nil
	default:
	}
	if err != nil {
		return err
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Pause implements remote.Unit.
func (b *box) Pause(ctx context.Context) error {
	_, err := b.engine.client.ContainerPause(ctx, b.id, client.ContainerPauseOptions{})
	return err
}

// Resume implements remote.Unit.
func (b *box) Resume(ctx context.Context) error {
	_, err := b.engine.client.ContainerUnpause(ctx, b.id, client.ContainerUnpauseOptions{})
	return err
}

// Cut implements remote.Unit.
func (b *box) Cut(ctx context.Context) error {
	_, err := b.engine.client.NetworkDisconnect(ctx, b.engine.network.ID, client.NetworkDisconnectOptions{Container: b.id, Force: true})
	return err
}

// Heal implements remote.Unit.
func (b *box) Heal(ctx context.Context) error {
	_, err := b.engine.client.NetworkConnect(ctx, b.engine.network.ID, client.NetworkConnectOptions{
		Container: b.id, EndpointConfig: &network.EndpointSettings{Aliases: []string{b.host}},
	})
	if err != nil {
		return err
	}
	return b.published(ctx)
}

// Delay implements remote.Delayer. A second container does it, in the network of this one and with rights over it that
// this one does not have.
func (b *box) Delay(ctx context.Context, by time.Duration) error {
	spec, err := json.Marshal(part.Spec{Kind: part.Link, Name: b.part.Name, Delay: by.String()})
	if err != nil {
		return err
	}
	const file = workDir + "/spec.json"
	e := b.engine
	labels := e.labels()
	labels["dev.aftershock.part"] = "link"
	helper, err := e.provider.CreateContainer(ctx, testcontainers.ContainerRequest{
		Image: e.image, Cmd: []string{"part", file}, User: "0:0",
		Labels: labels,
		Files:  []testcontainers.ContainerFile{{Reader: bytes.NewReader(spec), ContainerFilePath: file, FileMode: 0o644}},
		HostConfigModifier: func(h *container.HostConfig) {
			h.NetworkMode = container.NetworkMode("container:" + b.id)
			h.CapAdd = []string{"NET_ADMIN"}
		},
	})
	if helper == nil {
		return err
	}
	link := &box{engine: e, part: remote.Part{Name: "link"}, id: helper.GetContainerID(), container: helper}
	if err == nil {
		err = link.work(ctx)
	}
	_, gone := e.client.ContainerRemove(context.WithoutCancel(ctx), link.id, client.ContainerRemoveOptions{Force: true})
	return errors.Join(err, gone)
}

// work starts a container that has one thing to do, and waits until it is done.
func (b *box) work(ctx context.Context) error {
	if err := b.container.Start(ctx); err != nil {
		return err
	}
	w := b.engine.client.ContainerWait(ctx, b.id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case r := <-w.Result:
		if r.StatusCode != 0 {
			out, err := b.output(ctx, "all")
			return errors.Join(errors.New(strings.TrimSpace(string(out))), err)
		}
		return nil
	case err := <-w.Error:
		return err
	}
}

// Usage implements remote.Unit.
func (b *box) Usage(ctx context.Context) (remote.Usage, error) {
	if ok, _ := b.Alive(); !ok {
		b.mu.Lock()
		defer b.mu.Unlock()
		return remote.Usage{CPU: b.base + b.last}, nil
	}
	r, err := b.engine.client.ContainerStats(ctx, b.id, client.ContainerStatsOptions{})
	if err != nil {
		return remote.Usage{}, fmt.Errorf("sample %s: %w", b.part.Name, err)
	}
	defer r.Body.Close()
	var s container.StatsResponse
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		return remote.Usage{}, fmt.Errorf("sample %s: %w", b.part.Name, err)
	}
	m := s.MemoryStats
	cache := m.Stats["inactive_file"] // cgroup v2
	if v, ok := m.Stats["total_inactive_file"]; ok {
		cache = v
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = max(b.last, time.Duration(s.CPUStats.CPUUsage.TotalUsage))
	return remote.Usage{CPU: b.base + b.last, Memory: int64(m.Usage - min(cache, m.Usage))}, nil
}

// output is what the container has printed; all of it, or its last lines.
func (b *box) output(ctx context.Context, tail string) ([]byte, error) {
	r, err := b.engine.client.ContainerLogs(ctx, b.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: tail})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out bytes.Buffer
	_, err = stdcopy.StdCopy(&out, &out, r)
	return out.Bytes(), err
}

// save keeps the container's log in the run's folder.
func (b *box) save(ctx context.Context) error {
	out, err := b.output(ctx, "all")
	if err != nil {
		return fmt.Errorf("save the log of %s: %w", b.part.Name, err)
	}
	return os.WriteFile(filepath.Join(b.dir, "log.txt"), out, 0o644)
}

// tail is the last lines of output, as the end of an error.
func (b *box) tail() string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := b.output(ctx, "5")
	text := strings.TrimSpace(string(out))
	if err != nil || text == "" {
		return ""
	}
	return ":\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}

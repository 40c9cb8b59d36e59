package docker

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	tcnet "github.com/testcontainers/testcontainers-go/network"

	"github.com/aftershock-dev/aftershock/harness/remote"
)

// label marks everything that we make, and names the run it is for.
const label = "dev.aftershock.run"

// Config says how an engine is set up.
type Config struct {
	Exe   string // our own static binary; default this program
	Image string // an image with it, instead of one that is built
	Dir   string // keeps a folder with the log of each part
	Run   string // id of the run, for labels

	// Janitor is the command that calls Clean with its input and the two arguments it is given, such as this program's; none
	// leaves behind what a process that is killed had made.
	Janitor []string
}

// Engine runs parts as containers of one network of their own.
type Engine struct {
	cfg      Config
	provider *testcontainers.DockerProvider
	client   client.APIClient
	network  *testcontainers.DockerNetwork
	image    string
	id       string     // of this engine alone
	janitor  *janitor   // nil without one
	host     string     // where published ports are reached
	bind     netip.Addr // on which they are published

	mu     sync.Mutex
	parts  []*box
	closed bool
	waits  sync.WaitGroup
}

// noJanitor tells testcontainers to do without its own janitor, which is an image from a registry. Ours are Close,
// Clean, and the labels.
const noJanitor = "TESTCONTAINERS_RYUK_DISABLED"

// NewEngine connects to the Docker engine, builds the image and makes a network.
func NewEngine(ctx context.Context, cfg Config) (*Engine, error) {
	if err := os.Setenv(noJanitor, "true"); err != nil {
		return nil, err
	}
	if cfg.Exe == "" {
		exe, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program's file: %w", err)
		}
		cfg.Exe = exe
	}
	if err := askNamed(ctx); err != nil {
		return nil, err
	}
	tclog.SetDefault(tclog.NewNoopLogger()) // a library says what it has to say in errors
	provider, err := testcontainers.NewDockerProvider(testcontainers.DockerProviderOptionFunc(func(o *testcontainers.DockerProviderOptions) {
		o.Logger = tclog.NewNoopLogger()
	}))
	if err != nil {
		return nil, noEngine(err)
	}
	e := &Engine{cfg: cfg, provider: provider, client: provider.Client(), image: cfg.Image, id: rand.Text()}
	if err := ping(ctx, e.client); err != nil {
		return nil, errors.Join(err, provider.Close())
	}
	e.locate()
	if err := e.prepare(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// askNamed asks the engine that DOCKER_HOST names, when it names one. Testcontainers looks for another where that does not
// answer; but whoever names an engine means that one.
func askNamed(ctx context.Context) error {
	if os.Getenv(client.EnvOverrideHost) == "" {
		return nil
	}
	c, err := client.New(client.FromEnv)
	if err != nil {
		return noEngine(err)
	}
	return errors.Join(ping(ctx, c), c.Close())
}

// ping asks whether an engine answers.
func ping(ctx context.Context, c client.APIClient) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := c.Ping(ctx, client.PingOptions{}); err != nil {
		return noEngine(err)
	}
	return nil
}

var errNoEngine = errors.New("no Docker engine answers")

func noEngine(err error) error {
	return fmt.Errorf("%w: %w\nhint: start one (systemctl start docker), or set DOCKER_HOST; --env processes needs none", errNoEngine, err)
}

// locate finds out where published ports are: on loopback when the engine is this machine's, and else on its host.
func (e *Engine) locate() {
	e.host, e.bind = "127.0.0.1", netip.MustParseAddr("127.0.0.1")
	if override := os.Getenv("TESTCONTAINERS_HOST_OVERRIDE"); override != "" && override != "localhost" && override != "127.0.0.1" {
		e.host, e.bind = override, netip.IPv4Unspecified()
		return
	}
	if u, err := url.Parse(e.client.DaemonHost()); err == nil && (u.Scheme == "tcp" || u.Scheme == "http" || u.Scheme == "https") {
		e.host, e.bind = u.Hostname(), netip.IPv4Unspecified()
	}
}

func (e *Engine) prepare(ctx context.Context) error {
	var err error
	if e.image == "" {
		if e.image, err = buildImage(ctx, e.provider, e.cfg.Exe); err != nil {
			return err
		}
	}
	if len(e.cfg.Janitor) > 0 {
		built := ""
		if e.cfg.Image == "" {
			built = e.image
		}
		if e.janitor, err = hire(e.cfg.Janitor, e.id, built); err != nil {
			return err
		}
	}
	e.network, err = tcnet.New(ctx, tcnet.WithLabels(e.labels()))
	if err != nil {
		return fmt.Errorf("make a network: %w", err)
	}
	return nil
}

func (e *Engine) labels() map[string]string { return map[string]string{label: e.cfg.Run, owner: e.id} }

// Name implements remote.Engine.
func (e *Engine) Name() string { return "containers" }

// Cores implements remote.Sharer.
func (e *Engine) Cores() int {
	if e.bind.IsUnspecified() { // the engine is another machine's
		return 0
	}
	return runtime.NumCPU()
}

// Place implements remote.Engine.
func (e *Engine) Place(p remote.Part) (map[string]string, error) {
	inside := map[string]string{}
	for i, door := range p.Doors {
		inside[door] = hostOf(p) + ":" + strconv.Itoa(portOf(p, i))
	}
	return inside, nil
}

// hostOf is a part's name in the network.
func hostOf(p remote.Part) string { return strings.ReplaceAll(p.Name, "/", "-") }

// portOf is the port of a part's nth door.
func portOf(p remote.Part, n int) int { return cmp.Or(p.Port, 8080) + n }

// Add implements remote.Engine.
func (e *Engine) Add(ctx context.Context, p remote.Part) (remote.Unit, error) {
	host := hostOf(p)
	b := &box{engine: e, part: p, host: host, ports: map[string]network.Port{}, dir: filepath.Join(e.cfg.Dir, host)}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return nil, err
	}
	labels, listen := e.labels(), map[string]string{}
	labels["dev.aftershock.part"] = p.Name
	bindings := network.PortMap{}
	var exposed []string
	for i, door := range p.Doors {
		n := portOf(p, i)
		port, err := network.ParsePort(strconv.Itoa(n) + "/tcp")
		if err != nil {
			return nil, err
		}
		b.ports[door], listen[door] = port, "0.0.0.0:"+strconv.Itoa(n)
		bindings[port] = []network.PortBinding{{HostIP: e.bind, HostPort: "0"}}
		exposed = append(exposed, port.String())
	}
	req := testcontainers.ContainerRequest{
		Image: cmp.Or(p.Image, e.image), Env: p.Env, ExposedPorts: exposed,
		Labels:   labels,
		Networks: []string{e.network.Name}, NetworkAliases: map[string][]string{e.network.Name: {host}},
		ConfigModifier: func(c *container.Config) { c.Hostname = host },
		HostConfigModifier: func(h *container.HostConfig) {
			h.PortBindings = bindings
			h.SecurityOpt = []string{"no-new-privileges"}
		},
	}
	if p.Args != nil {
		req.Cmd = p.Args(listen, func(name string) string { return workDir + "/" + name })
	}
	for name, data := range p.Files {
		req.Files = append(req.Files, testcontainers.ContainerFile{
			Reader: strings.NewReader(string(data)), ContainerFilePath: workDir + "/" + name, FileMode: 0o644,
		})
		if err := os.WriteFile(filepath.Join(b.dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed
	}
	made, err := e.provider.CreateContainer(ctx, req)
	if made != nil {
		b.id, b.container = made.GetContainerID(), made
		e.parts = append(e.parts, b)
	}
	if err != nil {
		return nil, fmt.Errorf("make container %s from %s: %w", host, req.Image, err)
	}
	return b, nil
}

var errClosed = errors.New("the system is being taken down")

// closeWithin bounds how long taking everything down may take.
const closeWithin = 60 * time.Second

// Close implements remote.Engine: logs are saved, and then containers, network and image removed.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	parts := e.parts
	e.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	errs := make([]error, len(parts))
	var ends sync.WaitGroup
	for i, b := range parts {
		ends.Go(func() {
			_ = b.Stop(ctx) // what does not stop is removed by force
			saveErr := b.save(ctx)
			_, err := e.client.ContainerRemove(ctx, b.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			if errdefs.IsNotFound(err) {
				err = nil
			}
			errs[i] = errors.Join(saveErr, err)
		})
	}
	ends.Wait()
	e.waits.Wait()
	if e.network != nil {
		errs = append(errs, e.network.Remove(ctx))
	}
	if e.cfg.Image == "" && e.image != "" {
		_, err := e.client.ImageRemove(ctx, e.image, client.ImageRemoveOptions{PruneChildren: true})
		if errdefs.IsConflict(err) || errdefs.IsNotFound(err) {
			err = nil // another run uses it and will remove it, or was quicker
		}
		errs = append(errs, err)
	}
	err := errors.Join(append(errs, e.provider.Close())...)
	if e.janitor != nil {
		e.janitor.leave(err == nil)
	}
	if err != nil {
		return fmt.Errorf("take the containers down: %w\nhint: docker rm -f $(docker ps -aq --filter label=%s)", err, label)
	}
	return nil
}

// Package natsnode runs NATS servers with JetStream in this process: Start a single Node, Run one as a process of its
// own, or StartCluster three of them on loopback.
package natsnode

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
)

// Config is one node. The zero value is a server without sockets that keeps its files in a temporary directory.
type Config struct {
	Name string // unique within a cluster; default "aftershock"
	Dir  string // where JetStream keeps its files; empty: a directory of its own that Stop removes

	Listen string // address for clients, such as 127.0.0.1:4222; empty: no socket, only Connect

	Cluster       string   // cluster's name; empty: a server on its own
	ClusterListen string   // address for the other nodes
	Routes        []string // the other nodes' ClusterListen addresses

	// Unsynced leaves it to the operating system when a write reaches the disk. Without it a write is synced before it
	// is acknowledged; in a cluster, the Raft log is.
	Unsynced bool

	MaxStore  int64 // bytes on disk; default 8 GiB
	MaxMemory int64 // bytes of streams kept in memory; default 1 GiB

	ReadyWithin time.Duration // how long Start waits for the server; default 20 s
}

const (
	defaultName      = "aftershock"
	defaultMaxStore  = 8 << 30
	defaultMaxMemory = 1 << 30
	defaultReady     = 20 * time.Second
	maxPayload       = 1 << 20
)

// Prepare lets servers run inside a testing/synctest bubble. Call it before the bubble is entered, as often as you
// like: the server's clock of access times is the one thing of it that cannot be made inside a bubble and stop there.
func Prepare() { ats.Register() }

// Node is a running server.
type Node struct {
	opts   *server.Options
	within time.Duration // how long a start may take
	remove string        // directory to remove in the end

	mu     sync.Mutex
	server *server.Server
}

// Start runs a server and waits until it takes connections.
func Start(cfg Config) (*Node, error) {
	opts, err := cfg.options()
	if err != nil {
		return nil, fmt.Errorf("nats node %q: %w", cfg.Name, err)
	}
	n := &Node{opts: opts, within: cfg.ReadyWithin}
	if n.within <= 0 {
		n.within = defaultReady
	}
	if opts.StoreDir == "" {
		if opts.StoreDir, err = os.MkdirTemp("", "aftershock-nats-"); err != nil {
			return nil, fmt.Errorf("nats node %q: %w", opts.ServerName, err)
		}
		n.remove = opts.StoreDir
	}
	if n.server, err = n.start(); err != nil {
		return nil, errors.Join(err, n.clean())
	}
	return n, nil
}

// start runs a server.
func (n *Node) start() (*server.Server, error) {
	s, err := server.NewServer(n.opts.Clone())
	if err != nil {
		return nil, fmt.Errorf("nats node %q: %w", n.opts.ServerName, err)
	}
	s.Start()
	if !s.ReadyForConnections(n.within) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("nats node %q: not ready within %v", n.opts.ServerName, n.within)
	}
	return s, nil
}

// Restart ends the server and runs another with its files, for those who are connected to find.
func (n *Node) Restart() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server.Shutdown()
	n.server.WaitForShutdown()
	s, err := n.start()
	if err != nil {
		return err
	}
	n.server = s
	return nil
}

// Broken says why the server takes nothing more: it is not there, or it could not write the files of a stream.
func (n *Node) Broken() error {
	h := n.current().Healthz(nil)
	if h.StatusCode == http.StatusOK || n.current().Running() && !strings.Contains(h.Error, "write error") {
		return nil
	}
	return fmt.Errorf("nats node %q: %s", n.opts.ServerName, h.Error)
}

// Forget removes the files of a consumer that the server could not read, so that it can be made anew.
func (n *Node) Forget(stream, consumer string) error {
	return os.RemoveAll(filepath.Join(n.opts.StoreDir, "jetstream", "$G", "streams", stream, "obs", consumer))
}

// Dir is where the server keeps its files.
func (n *Node) Dir() string { return n.opts.StoreDir }

func (n *Node) current() *server.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server
}

// InProcessConn implements nats.InProcessConnProvider for connections that outlive a restart.
func (n *Node) InProcessConn() (net.Conn, error) { return n.current().InProcessConn() }

// Run starts a node and keeps it running until ctx is done: the whole of a process that is one NATS server.
func Run(ctx context.Context, cfg Config) error {
	n, err := Start(cfg)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return n.Stop()
}

// Connect opens a connection to the server that needs no socket.
func (n *Node) Connect(opts ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append(opts, nats.InProcessServer(n))...)
}

// URL is where clients reach the server; empty when it does not listen.
func (n *Node) URL() string {
	if n.current().Addr() == nil {
		return ""
	}
	return n.current().ClientURL()
}

// Stop ends the server and waits until it has.
func (n *Node) Stop() error {
	s := n.current()
	s.Shutdown()
	s.WaitForShutdown()
	return n.clean()
}

func (n *Node) clean() error {
	if n.remove == "" {
		return nil
	}
	if err := os.RemoveAll(n.remove); err != nil {
		return fmt.Errorf("remove the node's directory: %w", err)
	}
	return nil
}

func (c Config) options() (*server.Options, error) {
	o := &server.Options{
		ServerName:             c.Name,
		JetStream:              true,
		StoreDir:               c.Dir,
		SyncAlways:             !c.Unsynced,
		JetStreamMaxStore:      c.MaxStore,
		JetStreamMaxMemory:     c.MaxMemory,
		MaxPayload:             maxPayload,
		NoSigs:                 true,
		NoLog:                  true,
		DisableShortFirstPing:  true,
		DisableJetStreamBanner: true,
	}
	if o.ServerName == "" {
		o.ServerName = defaultName
	}
	if o.JetStreamMaxStore <= 0 {
		o.JetStreamMaxStore = defaultMaxStore
	}
	if o.JetStreamMaxMemory <= 0 {
		o.JetStreamMaxMemory = defaultMaxMemory
	}
	var err error
	if c.Listen == "" {
		o.DontListen = true
	} else if o.Host, o.Port, err = hostPort(c.Listen); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if c.Cluster == "" {
		return o, nil
	}
	if c.Dir == "" || c.Listen == "" {
		return nil, errors.New("a node of a cluster needs a directory and an address to listen on")
	}
	o.Cluster = server.ClusterOpts{Name: c.Cluster, ConnectRetries: -1}
	if o.Cluster.Host, o.Cluster.Port, err = hostPort(c.ClusterListen); err != nil {
		return nil, fmt.Errorf("cluster listen: %w", err)
	}
	for _, r := range c.Routes {
		if _, _, err := hostPort(r); err != nil {
			return nil, fmt.Errorf("route: %w", err)
		}
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: r})
	}
	return o, nil
}

// hostPort splits an address; without a host it is on loopback.
func hostPort(addr string) (string, int, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("address %s: port: %w", addr, err)
	}
	if n == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(n), nil
}

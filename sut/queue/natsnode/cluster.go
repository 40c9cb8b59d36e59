package natsnode

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
)

// Cluster is some nodes in this process that hold every stream together.
type Cluster struct {
	configs []Config

	mu    sync.Mutex
	nodes []*Node // nil: stopped
}

// StartCluster runs size nodes on loopback, with their files below dir.
func StartCluster(dir string, size int) (*Cluster, error) {
	addrs, err := freeAddrs(2 * size)
	if err != nil {
		return nil, fmt.Errorf("nats cluster: %w", err)
	}
	clients, routes := addrs[:size], addrs[size:]
	c := &Cluster{nodes: make([]*Node, size)}
	for i := range size {
		name := fmt.Sprintf("node%d", i+1)
		c.configs = append(c.configs, Config{
			Name: name, Dir: filepath.Join(dir, name), Listen: clients[i],
			Cluster: defaultName, ClusterListen: routes[i], Routes: routes,
		})
	}
	errs := make([]error, size)
	var starts sync.WaitGroup
	for i := range size {
		starts.Go(func() { errs[i] = c.Start(i) })
	}
	starts.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// URL is what clients connect to: all nodes.
func (c *Cluster) URL() string {
	var urls []string
	for _, cfg := range c.configs {
		urls = append(urls, "nats://"+cfg.Listen)
	}
	return strings.Join(urls, ",")
}

// Start runs a node that is not running, with the files it had.
func (c *Cluster) Start(i int) error {
	n, err := Start(c.configs[i])
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[i] = n
	return nil
}

// Kill stops a node and leaves its files.
func (c *Cluster) Kill(i int) error {
	c.mu.Lock()
	n := c.nodes[i]
	c.nodes[i] = nil
	c.mu.Unlock()
	if n == nil {
		return nil
	}
	return n.Stop()
}

// Stop ends all nodes.
func (c *Cluster) Stop() error {
	var errs []error
	for i := range c.configs {
		errs = append(errs, c.Kill(i))
	}
	return errors.Join(errs...)
}

// freeAddrs finds loopback addresses that nobody listens on.
func freeAddrs(n int) ([]string, error) {
	var addrs []string
	var errs []error
	var held []net.Listener
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			errs = append(errs, err)
			break
		}
		held = append(held, l)
		addrs = append(addrs, l.Addr().String())
	}
	for _, l := range held {
		errs = append(errs, l.Close())
	}
	return addrs, errors.Join(errs...)
}

package dash

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/admit"
)

// socketDir is where the runs of this user on this machine own their sockets.
func socketDir() string {
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		return filepath.Join(d, "aftershock")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("aftershock-%d", os.Getuid()))
}

// SocketPath is the socket of a run, by its ID.
func SocketPath(id string) string { return filepath.Join(socketDir(), id+".sock") }

// ListenSocket opens the socket of a run, which only its user may open (0600 in a folder of 0700). A socket left over
// by a run that was killed is replaced; one that answers is not.
func ListenSocket(id string) (net.Listener, error) {
	if id == "" || id != filepath.Base(id) {
		return nil, fmt.Errorf("open the run's socket: %q is not a run's name", id)
	}
	dir := socketDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the run's socket: %w", err)
	}
	// In a shared folder somebody else may have been first: chmod succeeds for the owner alone.
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the run's socket: %s is not ours: %w", dir, err)
	}
	path := SocketPath(id)
	l, err := net.Listen("unix", path)
	if err != nil && !answers(path) {
		if rm := os.Remove(path); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
			return nil, fmt.Errorf("open the run's socket: %w", rm)
		}
		l, err = net.Listen("unix", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the run's socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open the run's socket: %w", err), l.Close())
	}
	return l, nil
}

func answers(path string) bool {
	c, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// Listen opens a TCP address for viewers elsewhere. An address that others can reach is refused without a token.
func Listen(addr, token string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen for viewers on %q: %w", addr, err)
	}
	if !admit.Loopback(host) && token == "" {
		return nil, fmt.Errorf("listen for viewers on %q: an address that others can reach needs a token", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for viewers: %w", err)
	}
	return l, nil
}

// Running lists the IDs of the runs on this machine that can be attached to, in order.
func Running() []string {
	paths, err := filepath.Glob(filepath.Join(socketDir(), "*.sock"))
	if err != nil {
		return nil
	}
	var ids []string
	for _, p := range paths {
		if answers(p) {
			ids = append(ids, strings.TrimSuffix(filepath.Base(p), ".sock"))
		}
	}
	sort.Strings(ids)
	return ids
}

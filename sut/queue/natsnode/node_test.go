package natsnode

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func TestMain(m *testing.M) {
	Prepare()
	os.Exit(m.Run())
}

// The server is pinned: 2.10.20 to 2.10.22 lost streams, 2.12.3 dead letters, and each release has to show anew that it
// runs in a bubble. Whoever changes the version here has read its release notes and seen this package's tests pass.
func TestServerIsPinned(t *testing.T) {
	if want := "2.15.2"; server.VERSION != want {
		t.Errorf("nats-server %s, want %s", server.VERSION, want)
	}
}

// The canary: a server lives and ends in one bubble after another, with virtual hours in between, and leaves no
// goroutine, timer or channel behind that the next bubble would trip over.
func TestServerRunsInABubble(t *testing.T) {
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			n, err := Start(Config{})
			if err != nil {
				t.Fatal(err)
			}
			nc, err := n.Connect()
			if err != nil {
				t.Fatal(err)
			}
			js, err := jetstream.New(nc)
			if err != nil {
				t.Fatal(err)
			}
			_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, MaxAge: time.Hour, Storage: jetstream.MemoryStorage})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			for range 10 {
				if _, err := js.Publish(t.Context(), "s", []byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("ten messages took %v of virtual time", took)
			}
			time.Sleep(2 * time.Hour)
			s, err := js.Stream(t.Context(), "S")
			if err != nil {
				t.Fatal(err)
			}
			if left := s.CachedInfo().State.Msgs; left != 0 {
				t.Errorf("%d messages are left after their hour", left)
			}
			nc.Close()
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Writes are synced before they are acknowledged, unless somebody asks for less.
func TestSyncedByDefault(t *testing.T) {
	for _, unsynced := range []bool{false, true} {
		n, err := Start(Config{Unsynced: unsynced})
		if err != nil {
			t.Fatal(err)
		}
		if got := n.server.JetStreamConfig().SyncAlways; got == unsynced {
			t.Errorf("sync always is %v with Unsynced %v", got, unsynced)
		}
		dir := n.remove
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
}

// Run is a process's whole life: it listens, and ends with its context.
func TestRun(t *testing.T) {
	addrs, err := freeAddrs(1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	dir := filepath.Join(t.TempDir(), "files")
	go func() { ended <- Run(ctx, Config{Dir: dir, Listen: addrs[0]}) }()
	nc, err := nats.Connect("nats://"+addrs[0], nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.FlushTimeout(20 * time.Second); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "jetstream")); err != nil {
		t.Errorf("the node's files: %v", err)
	}
}

func TestBadConfigs(t *testing.T) {
	for name, cfg := range map[string]Config{
		"address without a port":      {Listen: "127.0.0.1"},
		"port that is none":           {Listen: "127.0.0.1:http2"},
		"cluster without a directory": {Listen: "127.0.0.1:0", Cluster: "c", ClusterListen: "127.0.0.1:0"},
		"route without a port":        {Dir: t.TempDir(), Listen: "127.0.0.1:0", Cluster: "c", ClusterListen: "127.0.0.1:0", Routes: []string{"x"}},
	} {
		if n, err := Start(cfg); err == nil {
			t.Errorf("%s: it started", name)
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		}
	}
}

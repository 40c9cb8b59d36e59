package sut_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCrashOnAFullDisk fills the disk under a sender and kills it there, or not. While there is no room it refuses and says
// why; when there is room again it is ready by itself, what it acknowledged arrives, and nothing comes twice.
func TestCrashOnAFullDisk(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(map[bool]string{false: "left alone", true: "killed and started while it is full"}[killed], func(t *testing.T) {
			t.Parallel()
			disk := t.TempDir()
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=48m"); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
				t.Skip("a small disk cannot be mounted here; TestDiskThatFillsUp of sut/drafts has a writer that fails")
			} else if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
			fullDisk(t, disk, killed)
		})
	}
}

func fullDisk(t *testing.T, disk string, killed bool) {
	w := newWitness(t)
	api := httptest.NewServer(w)
	defer api.Close()
	spec := childSpec{API: api.URL + "/v24.0", Data: filepath.Join(disk, "data"), Listen: w.address, Settings: quick}
	sender := start(t, spec)
	ready(t, w.address)
	crowd := &clients{address: w.address, keys: true, stop: make(chan struct{}), acked: map[string]bool{}}
	for i := range 6 {
		crowd.going.Go(func() { crowd.post(rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	time.Sleep(time.Second)
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	full := time.Now()
	for said := ""; !strings.Contains(said, `"accepting":false`); said = health(w.address) {
		if time.Since(full) > 30*time.Second {
			t.Fatalf("half a minute after the disk was full the sender says %s", said)
		}
		time.Sleep(50 * time.Millisecond)
	}
	ended := make(chan error, 1)
	if killed {
		_ = sender.Process.Kill()
		_ = sender.Wait()
		sender = start(t, spec)
	}
	go func() { ended <- sender.Wait() }()
	time.Sleep(2 * time.Second)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended: // without room it did not start; whoever keeps it running tries again
		sender = start(t, spec)
		go func() { ended <- sender.Wait() }()
	default:
	}
	ready(t, w.address)
	time.Sleep(time.Second)
	close(crowd.stop)
	crowd.going.Wait()
	if !wait(w.address) {
		t.Errorf("the backlog did not drain: %s", health(w.address))
	}
	_ = sender.Process.Signal(os.Interrupt)
	<-ended
	close(w.giveUp)
	w.hooks.Wait()
	if found := w.judge(t, crowd.acked); found.twice > 0 || found.acked == 0 {
		t.Errorf("%d acknowledged, %d came twice", found.acked, found.twice)
	}
}

// fill writes until there is no room left.
func fill(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 4 {
		for block := make([]byte, size); ; {
			if _, err := f.Write(block); err != nil {
				break
			}
		}
	}
}

// health is what a sender says of itself.
func health(address string) string {
	resp, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

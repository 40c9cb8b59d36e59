package sut_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	kills    = flag.Int("kills", 6, "how often TestCrashAtRandom kills a sender whose clients give keys; a third as often one whose clients give none")
	killSeed = flag.Uint64("killseed", 1, "when it does")
)

// TestCrashAtRandom kills a sender at random instants under load, now and then while it starts, and leaves half a line in its
// journal. Nothing that it acknowledged is lost, and nothing comes twice but what nobody could know: no status of it was
// taken before the copy.
func TestCrashAtRandom(t *testing.T) {
	for _, c := range []campaign{{kills: *kills, keys: true}, {kills: (*kills + 2) / 3}} {
		t.Run(fmt.Sprintf("%d kills, keys %v", c.kills, c.keys), func(t *testing.T) {
			t.Parallel()
			found := c.run(t)
			t.Logf("%d kills, keys %v: %d acknowledged, %d lost, %d accepted twice, of which %d without a status before",
				c.kills, c.keys, found.acked, found.lost, found.twice, found.explained)
		})
	}
}

// quick are settings under which nothing waits for a pace.
const quick = `  rate_limit: 1000/s
  burst: 100
  number: {rate: 1000/s, burst: 100}
  pair: {every: 1ms}
`

// campaign is a number of kills of one sender, and whether its clients give keys: without, they try a message once.
type campaign struct {
	kills int
	keys  bool
}

func (c campaign) run(t *testing.T) (found aftermath) {
	w := newWitness(t)
	w.mute = func(text string) bool { return strings.HasSuffix(text, "7") } // of these no status ever comes
	api := httptest.NewServer(w)
	defer api.Close()
	spec := childSpec{API: api.URL + "/v24.0", Data: t.TempDir(), Listen: w.address, Settings: quick, Synced: true}
	sender := start(t, spec)
	ready(t, w.address)
	crowd := &clients{address: w.address, keys: c.keys, stop: make(chan struct{}), acked: map[string]bool{}}
	for i := range 6 {
		crowd.going.Go(func() { crowd.post(rand.New(rand.NewPCG(*killSeed, uint64(i)))) })
	}
	r := rand.New(rand.NewPCG(*killSeed, 1000))
	for range c.kills {
		time.Sleep(time.Duration(r.Float64() * float64([]time.Duration{200 * time.Millisecond, time.Second, 2 * time.Second}[r.IntN(3)])))
		sender = again(t, sender, spec, r)
		if r.IntN(4) == 0 {
			time.Sleep(time.Duration(r.Float64() * float64(500*time.Millisecond)))
			sender = again(t, sender, spec, r)
		}
		ready(t, w.address)
	}
	time.Sleep(time.Second)
	close(crowd.stop)
	crowd.going.Wait()
	if !wait(w.address) {
		t.Errorf("the backlog did not drain")
	}
	_ = sender.Process.Signal(os.Interrupt)
	_ = sender.Wait()
	close(w.giveUp)
	w.hooks.Wait()
	return w.judge(t, crowd.acked)
}

// again kills a sender, leaves the beginning of a line in its journal, and starts it anew.
func again(t *testing.T, sender *exec.Cmd, spec childSpec, r *rand.Rand) *exec.Cmd {
	_ = sender.Process.Kill()
	_ = sender.Wait()
	if f, err := os.OpenFile(filepath.Join(spec.Data, "books", "books.journal"), os.O_APPEND|os.O_WRONLY, 0); err == nil {
		torn := "F x1-1 4 =torn"
		if _, err := f.WriteString(torn[:r.IntN(len(torn))]); err != nil {
			t.Error(err)
		}
		_ = f.Close()
	}
	return start(t, spec)
}

// judge compares what was acknowledged with what the API took.
func (w *witness) judge(t *testing.T, acked map[string]bool) (found aftermath) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for text := range acked {
		found.acked++
		if len(w.copies[text]) == 0 {
			found.lost++
			t.Errorf("%s was acknowledged and never accepted", text)
		}
	}
	for text, copies := range w.copies {
		if len(copies) < 2 {
			continue
		}
		found.twice++
		switch {
		case w.known[text]:
			t.Errorf("%s was accepted %d times as %v, although a status had told of it", text, len(copies), copies)
		case len(copies) > 2: // a transactional message is sent once more, and not again
			t.Errorf("%s was accepted %d times as %v", text, len(copies), copies)
		default:
			found.explained++
		}
	}
	return found
}

// clients post messages one after the other until they are stopped.
type clients struct {
	address string
	keys    bool
	stop    chan struct{}
	going   sync.WaitGroup
	mu      sync.Mutex
	number  int
	acked   map[string]bool
}

func (c *clients) post(r *rand.Rand) {
	for {
		c.mu.Lock()
		c.number++
		n := c.number
		c.mu.Unlock()
		for !c.try(n) && c.keys {
			select {
			case <-c.stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
		select {
		case <-c.stop:
			return
		case <-time.After(time.Duration(r.Float64() * float64(30*time.Millisecond))):
		}
	}
}

func (c *clients) try(n int) bool {
	text := "text-" + strconv.Itoa(n)
	req, _ := http.NewRequest(http.MethodPost, "http://"+c.address+"/v1/messages", strings.NewReader(fmt.Sprintf(`{"to":"+1555%07d","text":%q}`, n, text)))
	if c.keys {
		req.Header.Set("Idempotency-Key", "key-"+strconv.Itoa(n))
	}
	resp, err := (&http.Client{Timeout: 8 * time.Second}).Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acked[text] = true
	return true
}

// ready waits until a sender says that it is.
func ready(t *testing.T, address string) {
	t.Helper()
	for range 600 {
		if resp, err := http.Get("http://" + address + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the sender is not ready within 30 s")
}

// newWitness returns a witness and the address of the sender that it watches.
func newWitness(t *testing.T) *witness {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &witness{
		address: l.Addr().String(), hook: "http://" + l.Addr().String() + "/webhooks/whatsapp", copies: map[string][]string{},
		unsure: map[string]int{}, told: map[string]bool{}, known: map[string]bool{}, giveUp: make(chan struct{}),
	}
}

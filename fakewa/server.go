package fakewa

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/internal/strict"
)

// Wiring is what a server is connected to. The zero Wiring is a server without webhooks.
type Wiring struct {
	Webhook     string            // callback URL; empty means that nobody is told
	AppSecret   string            // signs webhooks; empty means no signature
	VerifyToken string            // sent when the callback is verified
	Transport   http.RoundTripper // for webhooks and link fetches; nil means one of the server's own
	MediaHosts  []string          // hosts that links may be fetched from, besides this machine

	// CallbackHosts are hosts that a client may have called by overriding the callback, besides this machine and the
	// webhook's own. A Transport of one's own is asked for any host.
	CallbackHosts []string

	Seed     int64         // of every random choice
	Lanes    instant.Lanes // on in virtual time
	SpillDir string        // where older detail goes; empty means the system's directory for temporary files
}

// check refuses what could only fail later, and silently.
func (w *Wiring) check() error {
	if w.Webhook != "" {
		if u, err := url.Parse(w.Webhook); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("webhook %q is not a URL such as http://127.0.0.1:3000/webhooks", w.Webhook)
		}
	}
	for kind, hosts := range map[string][]string{"media": w.MediaHosts, "callback": w.CallbackHosts} {
		for _, h := range hosts {
			if strings.ContainsAny(h, "/ ?#@*") {
				return fmt.Errorf("%s host %q is not the name of a host, such as media.example.com", kind, h)
			}
		}
	}
	if w.SpillDir != "" {
		if err := os.MkdirAll(w.SpillDir, 0o755); err != nil {
			return fmt.Errorf("directory for what does not fit in memory: %w", err)
		}
	}
	return nil
}

// Server serves the Graph API: a shell around Core that reads requests, waits, answers and calls webhooks as decided.
type Server struct {
	wiring    Wiring
	transport http.RoundTripper
	own       *http.Transport // ours to close, nil when one was given
	routes    http.Handler
	cfg       atomic.Pointer[Config]

	mu   sync.Mutex // guards core
	core *Core

	doors   doors
	ledger  *ledger
	hooks   *hooks
	uploads atomic.Int64 // bytes being read
	reading atomic.Int64 // of other calls
	running atomic.Bool
}

// NewServer returns a server. Its statuses, link fetches and webhooks need Run.
func NewServer(cfg Config, w Wiring) (*Server, error) {
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("fakewa: %w", err)
	}
	core, err := NewCore(cfg, w.Seed, time.Now())
	if err != nil {
		return nil, fmt.Errorf("fakewa: %w", err)
	}
	s := &Server{wiring: w, transport: w.Transport, core: core}
	if s.transport == nil {
		s.own = &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute, Proxy: nil}
		s.transport = s.own
	}
	core.faults.seed = chance.New(w.Seed)
	core.media.vault.file.dir = w.SpillDir
	s.adopt(core.cfg)
	s.ledger = newLedger(int64(core.cfg.Ledger.Memory), w.SpillDir)
	s.hooks = newHooks(s, w.Lanes)
	s.routes = s.graph()
	return s, nil
}

// Run lets statuses take effect and posts webhooks until ctx is done. It leaves nothing behind.
func (s *Server) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return fmt.Errorf("fakewa: the server is already running")
	}
	defer s.running.Store(false)
	s.hooks.run(ctx)
	if s.own != nil {
		s.own.CloseIdleConnections()
	}
	return nil
}

// Close gives back what is on disk. The server must no longer be used.
func (s *Server) Close() error {
	s.mu.Lock()
	s.core.media.vault.file.close()
	s.mu.Unlock()
	s.ledger.close()
	return nil
}

// Set changes settings while the server runs: a YAML document of the keys to change, nested or dotted. All of it
// takes effect, or none.
func (s *Server) Set(yaml []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg, err := patch("settings", s.core.cfg, yaml)
	if err != nil {
		return err
	}
	s.core.configure(time.Now(), cfg)
	s.adopt(s.core.cfg)
	return nil
}

// adopt publishes a configuration for readers without a lock.
func (s *Server) adopt(cfg Config) {
	s.core.media.vault.keep = int64(cfg.Media.Keep)
	if s.ledger != nil {
		s.ledger.bound(int64(cfg.Ledger.Memory))
	}
	s.cfg.Store(&cfg)
}

func (s *Server) settings() *Config { return s.cfg.Load() }

// Effective returns every setting in force, by dotted key. Tokens are cut short.
func (s *Server) Effective() map[string]string {
	s.mu.Lock()
	cfg := s.core.cfg
	s.mu.Unlock()
	cfg.Tokens = slices.Clone(cfg.Tokens)
	for i, t := range cfg.Tokens {
		cfg.Tokens[i].Token = redacted(t.Token)
	}
	return strict.Flatten(cfg)
}

// Apply puts a fault in force under an id, in place of the one with the same id. The fault is written in YAML as in
// a scenario: {kind: latency, where: messages, add: 2s, share: 10%}.
func (s *Server) Apply(id string, fault []byte) error {
	if err := checkID(id); err != nil {
		return err
	}
	a, err := parseFault("fault "+id, fault)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.core.faults.apply(time.Now(), id, a)
	s.mu.Unlock()
	s.follow()
	return nil
}

// ErrNoFault is returned for a fault that is not in force.
var ErrNoFault = fmt.Errorf("no such fault is in force")

// Clear takes a fault out of force.
func (s *Server) Clear(id string) error {
	s.mu.Lock()
	s.core.faults.expire(time.Now())
	was := s.core.faults.clear(id)
	s.mu.Unlock()
	s.follow()
	if !was {
		return fmt.Errorf("clear fault %q: %w", id, ErrNoFault)
	}
	return nil
}

// After returns up to limit entries of the ledger with a sequence number above seq, in order; limit 0 means 1000.
func (s *Server) After(seq int64, limit int) []Entry {
	out, _ := s.ledger.after(seq, limit) // what the disk lost is told by Summary.Forgotten
	return out
}

// Summary returns the ledger in numbers.
func (s *Server) Summary() Summary {
	waiting, active := s.hooks.gauge()
	sum := s.ledger.summary()
	s.mu.Lock()
	s.core.faults.expire(time.Now())
	sum.Faults = s.core.faults.strikes()
	s.mu.Unlock()
	sum.Webhooks.Waiting, sum.Webhooks.InFlight = int64(waiting), int64(active)
	return sum
}

// number returns what is known of a business number.
func (s *Server) number(id string) Number {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.core.access.number(id)
	if !ok {
		n = Number{ID: id, WABA: defaultWABA, Display: id}
	}
	return n
}

// route returns where a number's update goes: number override, account override, the app's callback, or nowhere.
func (s *Server) route(number string, st stage) string {
	if st != stageInbound && !s.settings().posts(st) {
		return ""
	}
	s.mu.Lock()
	url := s.core.access.callback(number)
	s.mu.Unlock()
	or(&url, s.wiring.Webhook)
	return url
}

func (s *Server) hookQueue() int             { return s.settings().Webhook.Queue }
func (s *Server) hookWorkers() int           { return max(1, s.settings().Webhook.Workers) }
func (s *Server) hookTimeout() time.Duration { return s.settings().Webhook.Timeout }

// posts reports whether a status is posted to the callback.
func (c *Config) posts(st stage) bool {
	if len(c.Webhook.Statuses) == 0 {
		return true
	}
	for _, name := range c.Webhook.Statuses {
		if name == stageStatus[st] {
			return true
		}
	}
	return false
}

// Package serve runs a sender, or one of its two services, as a process: settings from file, environment and flags, its
// queue, its doors on sockets, and a graceful end. Start with Options and Run.
package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/drafts"
)

// Options is how a process is set up.
type Options struct {
	Role   string // all, whatsapp, drafts
	Config sut.Config

	Listen       string   // address of the WhatsApp service's doors
	ListenDrafts string   // address of the Drafts service's doors
	Hosts        []string // names besides this machine's that requests may give to doors on loopback: a reverse proxy's
	WhatsAppURL  string   // where the other service is, when it is another process
	DraftsURL    string

	API         string // base URL of the Cloud API, with its version
	Phone       string // phone number id
	Token       string // of the Cloud API
	AppSecret   string // signs webhooks
	VerifyToken string
	Operator    string // token that the operators' doors ask for
	AllowReal   int    // how often the operator has said that real messages may be sent; twice allows a real host

	Queue    string // memory | jetstream
	NATS     string // servers of an outside cluster; "" embeds one
	Data     string // directory of the embedded server and of the books; "" keeps the books in memory only
	Unsynced bool   // writes need not outlive the machine
	Prefix   string // names this sender's streams, where several share a cluster

	Finish time.Duration // how long a graceful end may take
	Seed   int64
	Log    *slog.Logger
	Tracer trace.Tracer

	At    func(drafts.Point)              // for tests that end the process at a point of a draft's way
	Ready func(whatsapp, drafts net.Addr) // called when the doors are open; a door that is not served is nil
}

func (o *Options) withDefaults() {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&o.Role, "all")
	set(&o.Listen, "127.0.0.1:8090")
	set(&o.ListenDrafts, "127.0.0.1:8091")
	set(&o.Queue, "memory")
	if o.Finish <= 0 {
		o.Finish = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// Validate tells everything that is wrong.
func (o *Options) Validate() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(slices.Contains([]string{"all", "whatsapp", "drafts"}, o.Role), "role %q is not one of all, whatsapp, drafts", o.Role)
	bad(slices.Contains([]string{"memory", "jetstream"}, o.Queue), "queue %q is neither memory nor jetstream", o.Queue)
	bad(o.Queue == "jetstream" || o.NATS == "", "--nats needs --queue jetstream")
	bad(o.Role != "whatsapp" || o.DraftsURL != "", "role whatsapp needs the address of the Drafts service (--drafts-url)")
	bad(o.Role != "drafts" || o.WhatsAppURL != "", "role drafts needs the address of the WhatsApp service (--whatsapp-url)")
	if o.Role != "drafts" {
		bad(o.API != "", "the address of the Cloud API is missing (--api http://127.0.0.1:8080/v24.0)")
		bad(o.Phone != "", "the phone number id is missing (--phone)")
		bad(o.Token != "", "the access token of the Cloud API is missing (AFTERSHOCK_TOKEN; aftershock fakewa takes any)")
		errs = append(errs, o.checkReal())
	}
	return errors.Join(append(errs, o.Config.Validate())...)
}

// ErrReal is returned for an API that would deliver messages to real people, unless that was allowed twice.
var ErrReal = errors.New("this Cloud API delivers to real people")

func (o *Options) checkReal() error {
	u, err := url.Parse(o.API)
	if err != nil || u.Host == "" {
		return fmt.Errorf("the address of the Cloud API, %q, is not a URL", o.API)
	}
	if o.AllowReal >= 2 || !realHost(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("%w: %s; give --allow-real twice if that is meant", ErrReal, u.Hostname())
}

// realHost reports whether a host may belong to somebody else: everything but loopback and private addresses, names
// without a dot (containers) and the names that are kept for tests and private networks.
func realHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return !(ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast())
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.Contains(host, ".") {
		return false
	}
	for _, ours := range []string{".localhost", ".test", ".example", ".invalid", ".internal", ".local", ".fake", ".svc"} {
		if strings.HasSuffix(host, ours) {
			return false
		}
	}
	return !strings.HasSuffix(host, ".svc.cluster.local")
}

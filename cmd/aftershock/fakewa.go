package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/net/netutil"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/internal/admit"
	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/internal/strict"
)

// fakewaFlags are what the command is told.
type fakewaFlags struct {
	listen, control, token           string
	config                           string
	set, faults, mediaHosts          []string
	callbackHosts                    []string
	webhook, appSecret, verifyToken  string
	verify, tls                      bool
	certFile, keyFile, caFile, spill string
	seed                             int64
}

func newFakewaCommand() *cobra.Command {
	var f fakewaFlags
	cmd := &cobra.Command{
		Use:   "fakewa",
		Short: "The fake WhatsApp Cloud API alone: point any sender at it by changing its base URL",
		Long: `fakewa serves the WhatsApp Cloud API as Meta documents it, keeps a ledger of what it accepted, and breaks on
purpose when told to. Nothing it is sent leaves this machine, except webhooks to --webhook and to callbacks that a
client sets on a --callback-host, and links fetched from this machine and from --media-host.

Secrets may come from the environment instead of flags, which others on the machine can see: AFTERSHOCK_CONTROL_TOKEN,
AFTERSHOCK_APP_SECRET, AFTERSHOCK_VERIFY_TOKEN.`,
		Example: `  aftershock fakewa
  aftershock fakewa --webhook http://127.0.0.1:3000/webhooks/whatsapp --app-secret s3cret
  aftershock fakewa --set latency=50ms --set limits.throughput=20/s
  aftershock fakewa --fault 'lost={kind: reply-lost, share: 10%}'
  aftershock fakewa --tls --listen 127.0.0.1:8443`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError(fmt.Errorf("fakewa takes no argument, got %q\nhint: see aftershock fakewa --help", args[0]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.secrets(cmd.Flags())
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address of the Graph API")
	fl.StringVar(&f.control, "control", "127.0.0.1:8081", "address of the control doors; none for no doors")
	fl.StringVar(&f.token, "control-token", "", "token that opens the control doors; made up when they are not on loopback and none is given")
	fl.StringVar(&f.config, "config", "", "settings, a YAML file: what a scenario's whatsapp block holds")
	fl.StringArrayVar(&f.set, "set", nil, "one setting, key=value; may be repeated")
	fl.StringArrayVar(&f.faults, "fault", nil, "a fault in force from the start, id={kind: …}; may be repeated")
	fl.StringVar(&f.webhook, "webhook", "", "callback URL that is told of statuses and inbound messages")
	fl.StringVar(&f.appSecret, "app-secret", "fakewa-app-secret", "signs webhooks (X-Hub-Signature-256)")
	fl.StringVar(&f.verifyToken, "verify-token", "fakewa-verify-token", "hub.verify_token of the callback's verification")
	fl.BoolVar(&f.verify, "verify", false, "verify the callback before serving, and give up when it fails")
	fl.StringArrayVar(&f.mediaHosts, "media-host", nil, "host that links may be fetched from, besides this machine; may be repeated")
	fl.StringArrayVar(&f.callbackHosts, "callback-host", nil, "host that clients may set callbacks on, besides this machine and the webhook's; may be repeated")
	fl.BoolVar(&f.tls, "tls", false, "serve the Graph API over TLS with a certificate made up for this run")
	fl.StringVar(&f.certFile, "tls-cert", "", "serve over TLS with this certificate (PEM)")
	fl.StringVar(&f.keyFile, "tls-key", "", "and this key (PEM)")
	fl.StringVar(&f.caFile, "tls-ca", "", "where to write the made-up certificate for clients to trust; default a temporary file")
	fl.StringVar(&f.spill, "spill", "", "directory for what does not fit in memory; default the system's for temporary files")
	fl.Int64Var(&f.seed, "seed", 1, "seed of every random choice")
	return cmd
}

// secrets takes from the environment what no flag gave.
func (f *fakewaFlags) secrets(given *pflag.FlagSet) {
	for flag, secret := range map[string]*string{"control-token": &f.token, "app-secret": &f.appSecret, "verify-token": &f.verifyToken} {
		name := "AFTERSHOCK_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
		if v := os.Getenv(name); v != "" && !given.Changed(flag) {
			*secret = v
		}
	}
}

// run serves until ctx is done.
func (f *fakewaFlags) run(ctx context.Context, out, warn io.Writer) error {
	fake, err := f.server()
	if err != nil {
		return err
	}
	defer fake.Close()
	doors, err := f.open(fake)
	if err != nil {
		return err
	}
	defer doors.close()
	if f.verify {
		if err := fake.VerifyWebhook(ctx); err != nil {
			return fmt.Errorf("verify the callback: %w", err)
		}
	}
	doors.banner(out, warn, f)
	return doors.serve(ctx, fake)
}

// server builds the fake from file, settings and faults.
func (f *fakewaFlags) server() (*fakewa.Server, error) {
	var data []byte
	name := "fakewa"
	if f.config != "" {
		var err error
		name = f.config
		if data, err = files.Read(name, strict.MaxBytes); err != nil {
			return nil, usageError(fmt.Errorf("read the settings: %s: %w", name, err))
		}
	}
	if f.verify && f.webhook == "" {
		return nil, usageError(errors.New("--verify asks the callback: name it with --webhook URL"))
	}
	cfg, err := fakewa.ParseConfig(name, data)
	if err != nil {
		return nil, usageError(err)
	}
	fake, err := fakewa.NewServer(cfg, fakewa.Wiring{
		Webhook: f.webhook, AppSecret: f.appSecret, VerifyToken: f.verifyToken, MediaHosts: f.mediaHosts, CallbackHosts: f.callbackHosts, Seed: f.seed, SpillDir: f.spill,
	})
	if err != nil {
		return nil, usageError(err)
	}
	for _, s := range f.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usageError(fmt.Errorf("--set %s: write key=value", s))
		}
		if err := fake.Set([]byte(key + ": " + value)); err != nil {
			return nil, usageError(fmt.Errorf("--set %s: %w", key, err)) // without the value, which may be a token
		}
	}
	for _, s := range f.faults {
		id, fault, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usageError(fmt.Errorf("--fault %s: write id={kind: …}", s))
		}
		if err := fake.Apply(id, []byte(fault)); err != nil {
			return nil, usageError(fmt.Errorf("--fault %s: %w", id, err))
		}
	}
	return fake, nil
}

// fakewaDoors are the listeners of the command.
type fakewaDoors struct {
	graph, control net.Listener
	tls            *tls.Config
	ca             string // file with the made-up certificate
	made           bool   // the file is ours to remove
	token          string
}

// open listens on both addresses; an address that is taken is told before anything is served.
func (f *fakewaFlags) open(fake *fakewa.Server) (*fakewaDoors, error) {
	d := &fakewaDoors{token: f.token}
	if err := d.listen(f, fake); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *fakewaDoors) listen(f *fakewaFlags, fake *fakewa.Server) (err error) {
	if d.graph, err = net.Listen("tcp", f.listen); err != nil {
		return fmt.Errorf("listen for the Graph API: %w\nhint: choose another address with --listen 127.0.0.1:0", err)
	}
	d.graph = fake.Listener(d.graph)
	if f.control != "none" {
		if d.control, err = net.Listen("tcp", f.control); err != nil {
			return fmt.Errorf("listen for the control doors: %w\nhint: choose another address with --control 127.0.0.1:0", err)
		}
		if d.token == "" && !onLoopback(d.control) {
			d.token = rand.Text()
		}
		d.control = netutil.LimitListener(d.control, mostConnections) // not those of the API: faults reset them on the wire
	}
	return d.secure(f)
}

// secure sets up TLS, where it is asked for.
func (d *fakewaDoors) secure(f *fakewaFlags) error {
	if (f.certFile == "") != (f.keyFile == "") {
		return usageError(errors.New("--tls-cert and --tls-key belong together"))
	}
	if f.caFile != "" && (!f.tls || f.certFile != "") {
		return usageError(errors.New("--tls-ca is where --tls writes the certificate that it makes up"))
	}
	switch {
	case f.certFile != "":
		pair, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
		if err != nil {
			return usageError(fmt.Errorf("read the certificate: %w", err))
		}
		d.tls = &tls.Config{Certificates: []tls.Certificate{pair}}
	case f.tls:
		pair, pem, err := fakewa.Certificate("localhost", "127.0.0.1", "::1", host(d.graph), "graph.facebook.com")
		if err != nil {
			return err
		}
		if err := d.keep(f.caFile, pem); err != nil {
			return fmt.Errorf("write the certificate: %w", err)
		}
		d.tls = &tls.Config{Certificates: []tls.Certificate{pair}}
	default:
		return nil
	}
	d.tls.NextProtos = []string{"h2", "http/1.1"}
	d.graph = tls.NewListener(d.graph, d.tls)
	return nil
}

// keep writes the certificate where it was asked for, or into a temporary file that nobody could have laid a link for.
func (d *fakewaDoors) keep(file string, pem []byte) error {
	if d.ca = file; file != "" {
		return os.WriteFile(file, pem, 0o644)
	}
	f, err := os.CreateTemp("", "fakewa-ca-*.pem")
	if err != nil {
		return err
	}
	d.ca, d.made = f.Name(), true
	_, err = f.Write(pem)
	return errors.Join(err, f.Chmod(0o644), f.Close())
}

func (d *fakewaDoors) close() {
	for _, ln := range []net.Listener{d.graph, d.control} {
		if ln != nil {
			ln.Close()
		}
	}
	if d.made {
		os.Remove(d.ca)
	}
}

func host(ln net.Listener) string { h, _, _ := net.SplitHostPort(ln.Addr().String()); return h }
func port(ln net.Listener) string { _, p, _ := net.SplitHostPort(ln.Addr().String()); return p }

func onLoopback(ln net.Listener) bool {
	ip := net.ParseIP(host(ln))
	return ip != nil && ip.IsLoopback()
}

// reachable is how clients on this machine name a listener.
func reachable(ln net.Listener) string {
	if ip := net.ParseIP(host(ln)); ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port(ln))
	}
	return ln.Addr().String()
}

func (d *fakewaDoors) banner(out, warn io.Writer, f *fakewaFlags) {
	base, trust := "http://"+reachable(d.graph), ""
	if d.tls != nil {
		base = "https://" + reachable(d.graph)
		if d.ca != "" {
			trust = " --cacert " + d.ca
		}
	}
	fmt.Fprintf(out, "fakewa: a WhatsApp Cloud API that is not Meta's\n  Graph API  %s\n", base)
	if d.control != nil {
		fmt.Fprintf(out, "  control    http://%s\n", reachable(d.control))
		if d.token != "" {
			fmt.Fprintf(out, "  token      %s\n", d.token)
		}
	}
	if f.webhook != "" {
		fmt.Fprintf(out, "  webhook    %s\n", f.webhook)
	}
	if d.ca != "" {
		fmt.Fprintf(out, "  trust      %s\n", d.ca)
	}
	fmt.Fprintf(out, `
curl%s %s/v24.0/106540352242922/messages -H 'Authorization: Bearer EAAtest' -H 'Content-Type: application/json' \
  -d '{"messaging_product":"whatsapp","to":"16505551234","type":"text","text":{"body":"hello"}}'
`, trust, base)
	if d.control != nil {
		auth := ""
		if d.token != "" {
			auth = " -H 'Authorization: Bearer " + d.token + "'"
		}
		fmt.Fprintf(out, "curl%s http://%s/ledger/summary\n", auth, reachable(d.control))
	}
	if !onLoopback(d.graph) {
		fmt.Fprintf(warn, "aftershock: %s can be reached from other machines\n", d.graph.Addr())
	}
}

// mostConnections are held at once by the control doors; others wait to be accepted.
const mostConnections = 10_000

// serve serves until ctx is done; whatever is under way then is broken off.
func (d *fakewaDoors) serve(ctx context.Context, fake *fakewa.Server) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	work := []func() error{func() error { return fake.Run(ctx) }}
	serve := func(ln net.Listener, h http.Handler) {
		srv := fakewa.Serving(h)
		srv.BaseContext = func(net.Listener) context.Context { return ctx }
		work = append(work, func() error {
			if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}, func() error {
			<-ctx.Done()
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			if srv.Shutdown(end) != nil {
				return srv.Close()
			}
			return nil
		})
	}
	serve(d.graph, fake)
	if d.control != nil {
		doors := fakewa.Local(fake.Control())
		if d.token != "" {
			doors = fakewa.Guard(d.token, fake.Control())
		}
		bodies := admit.Bytes{Most: 64 << 20, Each: 1 << 20}
		serve(d.control, bodies.Handler(doors, func(w http.ResponseWriter) {
			http.Error(w, admit.ErrFull.Error(), http.StatusServiceUnavailable)
		}))
	}
	ended := make(chan error, len(work))
	for _, f := range work {
		go func() { ended <- f() }()
	}
	var err error
	for range work {
		err = errors.Join(err, <-ended)
		stop()
	}
	return err
}

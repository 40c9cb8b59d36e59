package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/serve"
)

// senderFlags are the flags of sender, as they were given.
type senderFlags struct {
	config, preset, role, listen, listenDrafts, whatsappURL, draftsURL string
	api, phone, queue, nats, data, prefix, tracing, logLevel           string
	set, hosts                                                         []string
	allowReal                                                          int
	unsynced, simulate, show                                           bool
	finish                                                             time.Duration
	traceShare                                                         float64
}

func newSenderCommand() *cobra.Command {
	var f senderFlags
	cmd := &cobra.Command{
		Use:   "sender",
		Short: "Run the reference sender alone",
		Long: `sender runs the reference sender: the WhatsApp service (front door, sending, webhooks) and the Drafts service
(idempotent drafts, queue, dispatcher), in one process or each in its own, against aftershock fakewa or the real
Cloud API.

Settings come from the preset, a file, the environment and flags, each stronger than the one before. The variable of
a setting is its key in capitals: drafts.rate_limit is AFTERSHOCK_DRAFTS_RATE_LIMIT. Secrets come from the environment
alone: AFTERSHOCK_TOKEN, AFTERSHOCK_APP_SECRET, AFTERSHOCK_VERIFY_TOKEN, AFTERSHOCK_OPERATOR_TOKEN.

A Cloud API that could deliver to real people is refused unless --allow-real is given twice.`,
		Example: `  aftershock fakewa --webhook http://127.0.0.1:8090/webhooks/whatsapp &
  export AFTERSHOCK_TOKEN=EAAtest AFTERSHOCK_APP_SECRET=fakewa-app-secret
  aftershock sender --api http://127.0.0.1:8080/v24.0 --phone 106540352242922 --queue jetstream --data ./sender &
  curl -d '{"to":"+15551234567","text":"Hello"}' http://127.0.0.1:8090/v1/messages
  curl http://127.0.0.1:8090/v1/messages/ID   # the id that was answered
  curl -X PATCH -d 'drafts: {rate_limit: 300/min}' http://127.0.0.1:8090/v1/settings
  curl -d '{"scope":"all"}' http://127.0.0.1:8090/v1/pause
  curl http://127.0.0.1:8090/v1/dead          # also /readyz, /metrics`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.config, "config", "", "file of settings (YAML)")
	fl.StringVar(&f.preset, "preset", "", "preset to begin with: incident, mitigated or hardened (default hardened)")
	fl.StringArrayVar(&f.set, "set", nil, "override one setting, key=value (repeatable): drafts.rate_limit=300/min")
	fl.BoolVar(&f.show, "show-settings", false, "print every setting and where it comes from, and end")
	fl.BoolVar(&f.simulate, "simulate", false, "let work hold cores and replicas start late, as in a replay")
	fl.StringVar(&f.role, "role", "all", "what this process is: all, whatsapp or drafts")
	fl.StringVar(&f.listen, "listen", "127.0.0.1:8090", "address of the WhatsApp service")
	fl.StringVar(&f.listenDrafts, "listen-drafts", "127.0.0.1:8091", "address of the Drafts service")
	fl.StringArrayVar(&f.hosts, "host", nil, "name besides this machine's that requests may give to doors on loopback, such as a reverse proxy's; may be repeated")
	fl.StringVar(&f.whatsappURL, "whatsapp-url", "", "where the WhatsApp service is, for --role drafts")
	fl.StringVar(&f.draftsURL, "drafts-url", "", "where the Drafts service is, for --role whatsapp")
	fl.StringVar(&f.api, "api", os.Getenv("AFTERSHOCK_API"), "base URL of the Cloud API with its version (AFTERSHOCK_API)")
	fl.StringVar(&f.phone, "phone", os.Getenv("AFTERSHOCK_PHONE"), "phone number id (AFTERSHOCK_PHONE)")
	fl.CountVar(&f.allowReal, "allow-real", "say twice that real messages may be sent")
	fl.StringVar(&f.queue, "queue", "memory", "memory or jetstream")
	fl.StringVar(&f.nats, "nats", "", "servers of a NATS cluster, instead of an embedded one")
	fl.StringVar(&f.prefix, "prefix", "", "name of this sender's streams in a shared cluster")
	fl.StringVar(&f.data, "data", "", "directory of what must outlive the process: the embedded queue and the books")
	fl.BoolVar(&f.unsynced, "unsynced", false, "let what is written outlive the process only, not the machine")
	fl.DurationVar(&f.finish, "finish", 30*time.Second, "how long a graceful end may take")
	fl.StringVar(&f.tracing, "otlp", "", "send traces to this OTLP endpoint, such as http://127.0.0.1:4318")
	fl.Float64Var(&f.traceShare, "trace-share", 0.01, "share of messages that are traced")
	fl.StringVar(&f.logLevel, "log", "info", "debug, info, warn or error")
	return cmd
}

// run reads the settings and serves.
func (f *senderFlags) run(cmd *cobra.Command) error {
	layers := serve.Layers{Preset: f.preset, File: f.config, Env: os.Environ(), Set: map[string]string{}}
	if cmd.Flags().Changed("simulate") || f.config == "" {
		layers.Set["simulate"] = fmt.Sprint(f.simulate)
	}
	for _, s := range f.set {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return usageError(fmt.Errorf("--set %q: write key=value, such as --set drafts.rate_limit=300/min", s))
		}
		layers.Set[k] = v
	}
	cfg, origins, err := layers.Config()
	if err != nil {
		return usageError(err)
	}
	if f.show {
		return printOrigins(cmd.OutOrStdout(), origins)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return usageError(fmt.Errorf("--log %q: use debug, info, warn or error", f.logLevel))
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
	o := serve.Options{
		Role: f.role, Config: cfg, Listen: f.listen, ListenDrafts: f.listenDrafts, Hosts: f.hosts, WhatsAppURL: f.whatsappURL,
		DraftsURL: f.draftsURL, API: f.api, Phone: f.phone, AllowReal: f.allowReal, Queue: f.queue, NATS: f.nats,
		Data: f.data, Unsynced: f.unsynced, Prefix: f.prefix, Finish: f.finish, Log: log,
		Token: os.Getenv("AFTERSHOCK_TOKEN"), AppSecret: os.Getenv("AFTERSHOCK_APP_SECRET"),
		VerifyToken: os.Getenv("AFTERSHOCK_VERIFY_TOKEN"), Operator: os.Getenv("AFTERSHOCK_OPERATOR_TOKEN"),
		Ready: func(whatsapp, drafts net.Addr) { sayReady(cmd.ErrOrStderr(), whatsapp, drafts) },
	}
	if err := o.Validate(); err != nil {
		return usageError(err)
	}
	if f.tracing != "" {
		tracer, stop, err := serve.NewTracer(cmd.Context(), f.tracing, f.traceShare)
		if err != nil {
			return err
		}
		o.Tracer = tracer
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := stop(ctx); err != nil {
				log.Warn("the last traces were not sent", "error", err)
			}
		}()
	}
	return serve.Run(cmd.Context(), o)
}

// senderSettings tells the order of a sender's settings, and which of them the environment makes here.
func senderSettings() string {
	var set []string
	for _, k := range sut.Keys() {
		if name := serve.EnvName(k); os.Getenv(name) != "" {
			set = append(set, name)
		}
	}
	here := "none here"
	if len(set) > 0 {
		here = "here " + strings.Join(set, ", ")
	}
	return "preset < file < environment (" + here + ") < flags; aftershock sender --show-settings tells each"
}

func sayReady(w io.Writer, whatsapp, drafts net.Addr) {
	if whatsapp != nil {
		fmt.Fprintf(w, "sender: messages at http://%s/v1/messages, webhooks at http://%s/webhooks/whatsapp\n", whatsapp, whatsapp)
	}
	if drafts != nil {
		fmt.Fprintf(w, "sender: drafts at http://%s/v1/drafts\n", drafts)
	}
}

func printOrigins(w io.Writer, origins []serve.Origin) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range origins {
		fmt.Fprintf(t, "%s\t%s\t%s\n", o.Key, o.Value, o.From)
	}
	return t.Flush()
}

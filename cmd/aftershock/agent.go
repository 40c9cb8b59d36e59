package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aftershock-dev/aftershock/harness/agent"
	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/internal/admit"
	"github.com/aftershock-dev/aftershock/sut/queue/natsnode"
)

// meetAt is where agents and runs of one machine meet when nobody says otherwise.
const meetAt = "127.0.0.1:4222"

// agentFlags are the flags of agent, as they were given.
type agentFlags struct {
	nats, id, group string
	allow           agent.Allow
	wait            time.Duration
	once            bool
}

func newAgentCommand() *cobra.Command {
	var f agentFlags
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Send a share of a run's load, as ordered over NATS",
		Long: `agent waits at a NATS server for runs that ask for agents (aftershock run --agents N), sends its share of their
load and tells of every hit. The agents of a run start together; one that dies makes the run invalid.

Every agent needs the same version of aftershock, a way to the sender that is tested, and a clock that does not jump.
Secrets of a target are read here, from this machine's environment and files: they do not travel. An agent sends to hosts,
and reads secrets and traces, that its flags allow, and nothing else. Where NATS is not on this machine, orders have to be
signed: give agents and runs the same AFTERSHOCK_AGENT_KEY.`,
		Example: `  aftershock agent --once &
  aftershock agent --once &
  aftershock run smoke --clock wall --agents 2

  export AFTERSHOCK_AGENT_KEY=…    # here, and where the run is started
  aftershock agent --nats nats://nats.load.svc:4222 --id "$HOSTNAME" --allow-host sender.load.svc`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.ErrOrStderr()) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.nats, "nats", cmp.Or(os.Getenv("AFTERSHOCK_NATS"), "nats://"+meetAt), "URL of the NATS server or cluster where runs and agents meet (AFTERSHOCK_NATS)")
	fl.StringVar(&f.id, "id", "", "name of this agent, unique within its group (default HOST-PROCESS)")
	fl.StringVar(&f.group, "group", agent.DefaultGroup, "group of agents that this one belongs to")
	fl.DurationVar(&f.wait, "wait", time.Minute, "how long to wait for NATS, at first and whenever it is gone")
	fl.BoolVar(&f.once, "once", false, "end after one run")
	fl.StringArrayVar(&f.allow.Hosts, "allow-host", nil, "host that runs may have messages sent to (sender.example, *.example); may be repeated; this machine may always be when NATS is on it")
	fl.StringArrayVar(&f.allow.Secrets, "allow-secret", nil, "environment variable or file that a target's secrets may be read from; may be repeated")
	fl.StringArrayVar(&f.allow.Traces, "allow-trace", nil, "folder that traces may be read from; may be repeated")
	return cmd
}

// run takes orders until it is told to end, NATS is gone for too long, or the one run is over.
func (f *agentFlags) run(ctx context.Context, say io.Writer) error {
	id := f.id
	if id == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("name this agent: %w\nhint: give it an --id", err)
		}
		id = fmt.Sprintf("%s-%d", strings.ReplaceAll(host, ".", "-"), os.Getpid())
	}
	if f.wait <= 0 {
		return usageError(fmt.Errorf("--wait %v: it takes some time to find NATS", f.wait))
	}
	key, own := os.Getenv(agentKey), onThisMachine(f.nats)
	if key == "" && !own {
		return usageError(fmt.Errorf("%s is not on this machine: whoever reaches it could order this agent about\nhint: give agents and runs the same key: export %s=…", withoutPassword(f.nats), agentKey))
	}
	f.allow.Loopback = own
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	conn, err := dial(ctx, f.nats, "agent "+id, f.wait, func() {
		cancel(fmt.Errorf("lost NATS at %s for %v", withoutPassword(f.nats), f.wait))
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprintf(say, "agent %s: waiting for runs at %s\n", id, withoutPassword(f.nats))
	w := &agent.Worker{ID: id, Group: f.group, Version: version(), Conn: conn, Once: f.once, Allow: f.allow, Key: key, Say: func(what string) {
		fmt.Fprintf(say, "agent %s: %s\n", id, what)
	}}
	if err := w.Run(ctx); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// agentKey is the variable of the key that agents' orders are signed with.
const agentKey = "AFTERSHOCK_AGENT_KEY"

// onThisMachine reports whether every server of a NATS URL is on this machine.
func onThisMachine(servers string) bool {
	for s := range strings.SplitSeq(servers, ",") {
		u, err := url.Parse(strings.TrimSpace(s))
		if err == nil && u.Host == "" {
			u, err = url.Parse("nats://" + strings.TrimSpace(s))
		}
		if err != nil || !admit.Loopback(u.Hostname()) {
			return false
		}
	}
	return true
}

// withoutPassword prints the servers of a NATS URL.
func withoutPassword(servers string) string {
	var out []string
	for s := range strings.SplitSeq(servers, ",") {
		if u, err := url.Parse(strings.TrimSpace(s)); err == nil {
			s = u.Redacted()
		} else {
			s = "one of the servers"
		}
		out = append(out, s)
	}
	return strings.Join(out, ",")
}

// redialEvery is how long to wait between two tries to reach NATS.
const redialEvery = 250 * time.Millisecond

// dial connects to NATS and waits for it when it is not there yet; lost is called when it stays away later.
func dial(ctx context.Context, servers, name string, wait time.Duration, lost func()) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name("aftershock " + name), nats.Timeout(5 * time.Second), nats.ReconnectWait(redialEvery),
		nats.MaxReconnects(int(wait/redialEvery) + 1), nats.ReconnectJitter(0, 0), nats.ClosedHandler(func(c *nats.Conn) {
			if lost != nil && c.LastError() != nil {
				lost()
			}
		}),
	}
	for until := time.Now().Add(wait); ; {
		conn, err := nats.Connect(servers, opts...)
		if err == nil {
			return conn, nil
		}
		if !time.Now().Before(until) || errors.Is(err, nats.ErrAuthorization) {
			return nil, fmt.Errorf("reach NATS at %s: %w\nhint: 'aftershock run … --agents N' without --nats serves NATS at %s while it runs; --nats names another one", withoutPassword(servers), err, meetAt)
		}
		select {
		case <-time.After(redialEvery):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// crewFlags are the flags of run that ask for agents.
type crewFlags struct {
	agents      int
	group, meet string
	wait        time.Duration
}

func (c *crewFlags) register(fl *pflag.FlagSet) {
	fl.IntVar(&c.agents, "agents", 0, "let this many agents send the load ('aftershock agent'); 0 sends it from here")
	fl.StringVar(&c.group, "agent-group", agent.DefaultGroup, "group of agents to ask")
	fl.StringVar(&c.meet, "meet", meetAt, "without --nats: serve NATS here, on loopback, for the agents of this machine")
	fl.DurationVar(&c.wait, "agent-wait", 30*time.Second, "how long to wait for the agents")
}

func (c *crewFlags) check(f *runFlags) error {
	switch {
	case c.agents < 0:
		return fmt.Errorf("--agents %d: it cannot be negative", c.agents)
	case c.agents > 0 && f.clock == "virtual":
		return errors.New("--agents is for real time: add --clock wall, or --env processes, containers or external")
	case c.wait <= 0:
		return fmt.Errorf("--agent-wait %v: agents need some time to answer", c.wait)
	}
	if c.agents > 0 && f.nats == "" {
		if err := ownMachine(c.meet); err != nil {
			return fmt.Errorf("--meet %s: %w; agents on other machines need a NATS server of yours: --nats URL", c.meet, err)
		}
	}
	return nil
}

// ownMachine refuses addresses that others could reach: whoever reaches it can order load.
func ownMachine(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("write 127.0.0.1:PORT")
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return errors.New("only an address such as 127.0.0.1:4222, which other machines cannot reach")
	}
	return nil
}

// gather finds the agents that a run asks for; leave lets go of them.
func (c *crewFlags) gather(ctx context.Context, f *runFlags, o *local.Options) (leave func(), err error) {
	if c.agents == 0 {
		return func() {}, nil
	}
	servers := f.nats
	var node *natsnode.Node
	if servers == "" {
		if node, err = natsnode.Start(natsnode.Config{Listen: c.meet, Unsynced: true}); err != nil {
			return nil, fmt.Errorf("serve NATS for the agents: %w\nhint: --meet 127.0.0.1:PORT serves it elsewhere, --nats URL uses one that runs", err)
		}
		servers = node.URL()
	}
	conn, err := dial(ctx, servers, "run "+o.Info.ID, c.wait, nil)
	leave = func() {
		if conn != nil {
			conn.Close()
		}
		if node != nil {
			_ = node.Stop() // it kept nothing
		}
	}
	if err == nil {
		fmt.Fprintf(os.Stderr, "aftershock: waiting for %d agents at %s\n", c.agents, withoutPassword(servers))
		var team *agent.Team
		team, err = agent.Gather(ctx, conn, agent.Options{Group: c.group, Version: version(), Agents: c.agents, Within: c.wait, Key: os.Getenv(agentKey)})
		if err == nil {
			o.Team = team.For(o.Info.ID, o.Scenario, o.Compress)
			return leave, nil
		}
	}
	leave()
	return nil, err
}

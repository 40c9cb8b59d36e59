package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aftershock-dev/aftershock/harness/agent"
	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/sut/queue/natsnode"
)

// meetAt is where agents and runs of one machine meet when nobody says otherwise.
const meetAt = "127.0.0.1:4222"

// agentFlags are the flags of agent, as they were given.
type agentFlags struct {
	nats, id, group string
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
Secrets of a target are read here, from this machine's environment and files: they do not travel.`,
		Example: `  aftershock agent --once &
  aftershock agent --once &
  aftershock run smoke --clock wall --agents 2

  aftershock agent --nats nats://nats.load.svc:4222 --id "$HOSTNAME"`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.ErrOrStderr()) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.nats, "nats", cmp.Or(os.Getenv("AFTERSHOCK_NATS"), "nats://"+meetAt), "URL of the NATS server or cluster where runs and agents meet (AFTERSHOCK_NATS)")
	fl.StringVar(&f.id, "id", "", "name of this agent, unique within its group (default HOST-PROCESS)")
	fl.StringVar(&f.group, "group", agent.DefaultGroup, "group of agents that this one belongs to")
	fl.DurationVar(&f.wait, "wait", time.Minute, "how long to wait for NATS, at first and whenever it is gone")
	fl.BoolVar(&f.once, "once", false, "end after one run")
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
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	conn, err := dial(ctx, f.nats, "agent "+id, f.wait, func() {
		cancel(fmt.Errorf("lost NATS at %s for %v", f.nats, f.wait))
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprintf(say, "agent %s: waiting for runs at %s\n", id, f.nats)
	w := &agent.Worker{ID: id, Group: f.group, Version: version(), Conn: conn, Once: f.once, Say: func(what string) {
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

// redialEvery is how long to wait between two tries to reach NATS.
const redialEvery = 250 * time.Millisecond

// dial connects to NATS and waits for it when it is not there yet; lost is called when it stays away later.
func dial(ctx context.Context, url, name string, wait time.Duration, lost func()) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name("aftershock " + name), nats.Timeout(5 * time.Second), nats.ReconnectWait(redialEvery),
		nats.MaxReconnects(int(wait/redialEvery) + 1), nats.ReconnectJitter(0, 0), nats.ClosedHandler(func(c *nats.Conn) {
			if lost != nil && c.LastError() != nil {
				lost()
			}
		}),
	}
	for until := time.Now().Add(wait); ; {
		conn, err := nats.Connect(url, opts...)
		if err == nil {
			return conn, nil
		}
		if !time.Now().Before(until) || errors.Is(err, nats.ErrAuthorization) {
			return nil, fmt.Errorf("reach NATS at %s: %w\nhint: 'aftershock run … --agents N' without --nats serves NATS at %s while it runs; --nats names another one", url, err, meetAt)
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
	url := f.nats
	var node *natsnode.Node
	if url == "" {
		if node, err = natsnode.Start(natsnode.Config{Listen: c.meet, Unsynced: true}); err != nil {
			return nil, fmt.Errorf("serve NATS for the agents: %w\nhint: --meet 127.0.0.1:PORT serves it elsewhere, --nats URL uses one that runs", err)
		}
		url = node.URL()
	}
	conn, err := dial(ctx, url, "run "+o.Info.ID, c.wait, nil)
	leave = func() {
		if conn != nil {
			conn.Close()
		}
		if node != nil {
			_ = node.Stop() // it kept nothing
		}
	}
	if err == nil {
		fmt.Fprintf(os.Stderr, "aftershock: waiting for %d agents at %s\n", c.agents, url)
		var team *agent.Team
		team, err = agent.Gather(ctx, conn, agent.Options{Group: c.group, Version: version(), Agents: c.agents, Within: c.wait})
		if err == nil {
			o.Team = team.For(o.Info.ID, o.Scenario, o.Compress)
			return leave, nil
		}
	}
	leave()
	return nil, err
}

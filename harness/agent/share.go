package agent

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// share is the Load of a real agent: its part of the scenario's arrivals, sent over the network.
func (w *Worker) share(ctx context.Context, o Order) (Load, error) {
	sc, err := scenarios.Read("the run's scenario", o.Scenario, scenarios.Options{})
	if err != nil {
		return nil, err
	}
	if err := w.Allow.check(o, sc); err != nil {
		return nil, err
	}
	sc.Load.Trace = o.Trace
	if o.Compress > 1 {
		sc = sc.Squeeze(o.Compress)
	}
	s, err := harness.NewShare(ctx, sc, o.Aim, o.Shard, o.Shards)
	if err != nil {
		return nil, err
	}
	return shareLoad{s, w.Allow}, nil
}

type shareLoad struct {
	*harness.Share
	allow Allow
}

func (l shareLoad) Send(ctx context.Context, start time.Time, report func(h harness.Hit, scheduled time.Duration)) error {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 4096, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
	}
	defer transport.CloseIdleConnections()
	return l.Share.Send(ctx, start, fence{l.allow, transport}, report)
}

// For makes the team that of a run: its load in place of the Runner's.
func (t *Team) For(run string, sc *scenarios.Scenario, compress float64) harness.Team {
	return &crew{t, Order{Run: run, Scenario: sc.YAML(), Trace: sc.TracePath(), Compress: compress}}
}

// crew is a team with a run to do.
type crew struct {
	*Team
	order Order
}

// Ready implements harness.Team.
func (c *crew) Ready(ctx context.Context, to harness.Aim) error {
	c.order.Aim = to
	return c.Prepare(ctx, c.order, to.Hits)
}

// Send implements harness.Team.
func (c *crew) Send(ctx context.Context, start time.Time, told func(harness.Hit)) error {
	result, err := c.Fire(ctx, start, told)
	if err != nil {
		return err
	}
	if n := result.Response.TotalCount(); result.Rows != c.order.Hits || n != int64(result.Rows) {
		return fmt.Errorf("%w: the agents told of %d messages and timed %d, and the run has %d", ErrLost, result.Rows, n, c.order.Hits)
	}
	return nil
}

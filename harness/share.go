package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/offlimits"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// Share is the part of a scenario's load that one agent of several sends: of the messages shard+1, shard+1+shards, and
// so on, each at the instant that the whole schedule gives it.
type Share struct {
	sc    *scenarios.Scenario
	form  form
	mint  *mint
	at    []time.Duration // of this share
	shard int
	every int
}

// NewShare works out a share. It refuses one that is not of the schedule that the run has, and one that is aimed at Meta.
func NewShare(ctx context.Context, sc *scenarios.Scenario, to Aim, shard, shards int) (*Share, error) {
	if err := offlimits.Check(ctx, to.URL); err != nil {
		return nil, err
	}
	at, rows, err := arrivals(sc)
	if err != nil {
		return nil, err
	}
	if len(at) != to.Hits || sum(at, rows) != to.Sum {
		return nil, fmt.Errorf("the schedule here (%d messages) is another than the run's (%d): is the trace the same file, and the program the same?", len(at), to.Hits)
	}
	s := &Share{sc: sc, shard: shard, every: shards}
	for i := shard; i < len(at); i += shards {
		s.at = append(s.at, at[i])
	}
	if s.form, err = formOf(sc, to.URL, to.FakeURL, offlimits.Check); err != nil {
		return nil, err
	}
	if sc.Messages.Numbers != "" {
		return nil, errors.New("messages.numbers is a file of the machine that runs the scenario: agents have none")
	}
	if s.mint, err = newMint(sc.Messages, sc.Seed, to.MediaBase); err != nil {
		return nil, err
	}
	s.mint.rows = rows
	return s, nil
}

// Hits is how many messages the share holds.
func (s *Share) Hits() int { return len(s.at) }

// Send sends them and returns when every one has its last answer, or ctx ended. It calls told once for each message that
// it is done with, never twice at a time, with the offset at which the message was due.
func (s *Share) Send(ctx context.Context, start time.Time, through http.RoundTripper, told func(h Hit, scheduled time.Duration)) error {
	attack(ctx, s.at, through, &caller{
		client: s.sc.Client, form: s.form, mint: s.mint, number: s.number, start: start, told: &shareAccount{share: s, told: told},
	})
	return ctx.Err()
}

func (s *Share) number(seq uint64) uint64 { return uint64(s.shard) + seq*uint64(s.every) + 1 }

func (s *Share) scheduled(n uint64) time.Duration { return s.at[int(n-1)/s.every] }

// shareAccount hands every finished hit on.
type shareAccount struct {
	share *Share
	mu    sync.Mutex
	told  func(Hit, time.Duration)
}

func (a *shareAccount) fire(uint64, time.Time) {}

func (a *shareAccount) tried(uint64, int, Try) {}

func (a *shareAccount) done(h Hit, _ time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told(h, a.share.scheduled(h.Number))
}

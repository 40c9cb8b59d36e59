package whatsapp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// ear collects statuses and hands them on to Drafts in batches, about once a second.
type ear struct {
	s    *Service
	lane instant.Lane

	mu     sync.Mutex
	heard  []wire.Status
	stored chan struct{} // closed when what is in heard now has been handed on
	ok     *bool         // whether that went well; set before stored is closed
	ended  bool          // nobody hands on any more
}

func newEar(s *Service) *ear {
	e := &ear{s: s, lane: s.w.Lanes.Of(instant.System, instant.StatusFlush)}
	e.fresh()
	return e
}

func (e *ear) fresh() { e.stored, e.ok = make(chan struct{}), new(bool) }

// hear takes statuses in. The returned channel is closed when Drafts has them, or would not have them; ok then tells.
func (e *ear) hear(list []wire.Status) (stored <-chan struct{}, ok *bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		over := make(chan struct{})
		close(over)
		return over, new(bool)
	}
	e.heard = append(e.heard, list...)
	return e.stored, e.ok
}

// run hands on until ctx ends, and once more then.
func (e *ear) run(ctx context.Context) {
	for {
		timer := time.NewTimer(e.lane.After(time.Now(), e.s.cfg.Load().Webhooks.Flush))
		select {
		case <-timer.C:
			e.flush(context.WithoutCancel(ctx))
		case <-ctx.Done():
			timer.Stop()
			e.flush(context.WithoutCancel(ctx))
			e.mu.Lock()
			e.ended = true
			e.mu.Unlock()
			e.flush(context.WithoutCancel(ctx)) // for those who came in between
			return
		}
	}
}

// flush hands on what was heard so far. Statuses whose webhook has been acknowledged already are kept when Drafts does
// not take them; those that wait to be acknowledged are refused, and the API sends them again.
func (e *ear) flush(ctx context.Context) {
	cfg := e.s.cfg.Load()
	e.mu.Lock()
	list, stored, ok := e.heard, e.stored, e.ok
	e.heard = nil
	e.fresh()
	e.mu.Unlock()
	all := len(list) > 0
	for len(list) > 0 && all {
		n := min(len(list), cfg.Webhooks.Batch)
		if all = e.hand(ctx, list[:n], cfg); all {
			list = list[n:]
		}
	}
	if !all && len(list) > 0 && cfg.Webhooks.Ack == "received" {
		e.mu.Lock()
		e.heard = append(list, e.heard...)
		e.mu.Unlock()
	}
	*ok = all
	close(stored)
}

func (e *ear) hand(ctx context.Context, list []wire.Status, cfg *Config) bool {
	ctx, cancel := context.WithDeadline(ctx, e.lane.Deadline(cfg.Create.Timeout))
	defer cancel()
	ans, err := e.s.w.Caller.Post(ctx, e.s.statusURL, nil, wire.WriteStatuses(list))
	defer ans.Release()
	return err == nil && ans.Status == http.StatusNoContent
}

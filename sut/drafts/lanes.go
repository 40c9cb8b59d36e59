package drafts

import (
	"strconv"

	"github.com/aftershock-dev/aftershock/internal/chance"
)

// A class's lane is split in the queue: tenants are spread over shards that take turns, so that one tenant's backlog
// does not stand before everybody else's, and a lane of fresh drafts goes ahead of them while the backlog is old.

// lane is one lane of the queue.
type lane struct {
	name   string // in the queue
	class  string // the lane that the class rules name
	weight int
}

// lanes lists the queue's lanes, the most important first.
func lanes(cfg *Config) []lane {
	var out []lane
	for _, l := range cfg.Classes.Lanes() {
		if cfg.Order.FreshAfter > 0 {
			out = append(out, lane{freshLane(l.Name), l.Name, l.Weight})
		}
		for shard := range cfg.Order.Shards {
			out = append(out, lane{shardLane(cfg, l.Name, shard), l.Name, l.Weight})
		}
	}
	return out
}

func freshLane(class string) string { return class + "-fresh" }

func shardLane(cfg *Config, class string, shard int) string {
	if cfg.Order.Shards == 1 {
		return class
	}
	return class + "-" + strconv.Itoa(shard)
}

// laneFor chooses the queue's lane for a new draft. While the oldest draft held is older than FreshAfter, drafts of
// conversations that nothing is waiting for go ahead; a conversation with drafts in the backlog waits in order.
func (s *Service) laneFor(cfg *Config, d *draft, class string) string {
	if cfg.Order.FreshAfter > 0 {
		s.books.mu.Lock()
		old := s.books.freshAge() > cfg.Order.FreshAfter
		alone := d.line == 0 || d.ahead == nil
		s.books.mu.Unlock()
		if old && alone {
			return freshLane(class)
		}
	}
	shard := 0
	if cfg.Order.Shards > 1 {
		shard = int(chance.Key(d.tenant) % uint64(cfg.Order.Shards))
	}
	return shardLane(cfg, class, shard)
}

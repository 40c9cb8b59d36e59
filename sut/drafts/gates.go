package drafts

import (
	"math"
	"sync"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/sut/policy"
)

// gates are the policies that learn: what each has seen so far, behind one mutex that is held for arithmetic only.
type gates struct {
	mu       sync.Mutex
	limit    policy.LimitState
	budget   policy.BudgetState
	throttle policy.ThrottleState
	breakers map[string]*policy.BreakerState // by number, those that have seen trouble
	provider policy.BreakerState             // of the API as a whole
	numbers  map[string]*number
	pairs    map[uint64]*policy.Pace
	arrivals float64 // drafts a second coming in, averaged over minutes
	arrived  time.Time
	accepted time.Time // when a draft was last accepted
	drains   time.Time // since when a backlog is drained; zero: none is
}

// number is the pace of one phone number.
type number struct {
	policy.Pace
	adapt policy.AdaptState
	sent  policy.Meter // accepted a second
	used  time.Time    // when it was last used
}

// rate is the number's rate in force.
func (n *number) rate(cfg *Config, now time.Time) quantity.Rate {
	return policy.Rate(cfg.Number.Rate, cfg.Number.Adapt.Share(&n.adapt, now))
}

func newGates() *gates {
	return &gates{breakers: map[string]*policy.BreakerState{}, numbers: map[string]*number{}, pairs: map[uint64]*policy.Pace{}}
}

// arrival counts a draft that came in.
func (g *gates) arrival(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	const span = 5 * time.Minute
	if !g.arrived.IsZero() {
		g.arrivals *= math.Exp(-now.Sub(g.arrived).Seconds() / span.Seconds())
	}
	g.arrivals += 1 / span.Seconds()
	g.arrived = now
}

// underWay is how many calls may be under way.
func (g *gates) underWay(cfg *Config) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return cfg.Dispatch.limit().Value(&g.limit)
}

// rate is the rate limit in force: lower while a backlog drains after a stop.
func (g *gates) rate(cfg *Config, now time.Time) quantity.Rate {
	if cfg.Drain.Factor == 0 {
		return cfg.RateLimit
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.drains.IsZero() {
		return cfg.RateLimit
	}
	capped := cfg.Drain.cap(g.arrivals, now.Sub(g.drains))
	if capped <= 0 || !cfg.RateLimit.IsZero() && capped >= cfg.RateLimit.PerSecond() {
		return cfg.RateLimit
	}
	return quantity.Rate{Count: max(capped, 0.2), Per: time.Second}
}

// resumed notes that drafts flow again after a stop.
func (g *gates) resumed(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.drain(now)
}

// drain notes since when a backlog is drained.
func (g *gates) drain(now time.Time) {
	if g.drains.IsZero() {
		g.drains = now
	}
}

// pairKey names a pair of number and recipient.
func pairKey(number, to string) uint64 {
	return chance.Key(number + "\x00" + to)
}

// whyProvider is why a draft waits while the API fails whatever it is sent.
const whyProvider = "provider"

// whyNumber is what stands for the breaker of one number.
const whyNumber = "stopped"

// pass asks every gate whether a draft may be sent now. wait says how long it may not, and why. A doubtful draft is one
// that a send without an outcome would harm.
func (g *gates) pass(cfg *Config, d *draft, doubtful bool, now time.Time, u float64) (wait time.Duration, why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pair, number := g.pair(cfg, d.pair), g.number(cfg, d.from, now)
	rate := pairRate(cfg)
	if pair != nil {
		if wait := pair.Wait(now, rate, cfg.Pair.Burst); wait > 0 {
			return wait, "pair"
		}
	}
	if wait := g.slot(cfg, number, d, now); wait > 0 {
		return wait, "number"
	}
	if cfg.Throttle.Hold(&g.throttle, now, u) {
		return time.Second + cfg.Send.Backoff, "throttle"
	}
	grace := graceOf(d, doubtful, now)
	if wait := cfg.Provider.Wait(&g.provider, now, grace); wait > 0 {
		return wait, whyProvider
	}
	if b := g.breakers[d.from]; b != nil { // the breakers come last, because passing may make this send the probe
		if wait := cfg.Breaker.Allow(b, now, 0); wait > 0 {
			return wait, whyNumber
		}
	}
	cfg.Provider.Allow(&g.provider, now, grace)
	if pair != nil {
		pair.Take(now, rate)
	}
	if number != nil && !d.slot {
		number.Take(now, number.rate(cfg, now))
	}
	d.slot = false
	return 0, ""
}

// longestGrace is how long a doubtful draft waits at the most for others to find out whether the API works again.
const longestGrace = 15 * time.Minute

// graceOf is how long a draft lets others go first: a doubtful one a quarter of what is left of its validity.
func graceOf(d *draft, doubtful bool, now time.Time) time.Duration {
	switch {
	case !doubtful:
		return 0
	case d.expires == 0:
		return longestGrace
	}
	return min(longestGrace, max(time.Duration(d.expires-now.UnixNano())/4, 1))
}

// slotAhead is how far ahead a number's slots are given out.
const slotAhead = 5 * time.Second

// slot makes a draft wait for its number's pace. A draft that has to wait is given a slot of its own, so that it need not
// ask again and again; beyond slotAhead it comes back later.
func (g *gates) slot(cfg *Config, n *number, d *draft, now time.Time) time.Duration {
	if n == nil || d.slot {
		return 0
	}
	rate := n.rate(cfg, now)
	wait := n.Wait(now, rate, cfg.Number.Burst)
	switch {
	case wait <= 0:
		return 0
	case wait > slotAhead:
		return slotAhead + time.Duration(d.number%10)*time.Second
	}
	n.Take(now, rate)
	d.slot = true
	return wait
}

func pairRate(cfg *Config) quantity.Rate { return quantity.Rate{Count: 1, Per: cfg.Pair.Every} }

func (g *gates) pair(cfg *Config, key uint64) *policy.Pace {
	if cfg.Pair.Every == 0 {
		return nil
	}
	p := g.pairs[key]
	if p == nil {
		p = new(policy.Pace)
		g.pairs[key] = p
	}
	return p
}

func (g *gates) number(cfg *Config, name string, now time.Time) *number {
	if cfg.Number.Rate.IsZero() {
		return nil
	}
	n := g.numbers[name]
	if n == nil {
		n = new(number)
		g.numbers[name] = n
	}
	n.used = now
	return n
}

// outcome is a send that has ended, as the gates see it.
type outcome struct {
	class    policy.Class
	scope    policy.Scope
	timedOut bool
	took     time.Duration
	underWay int
	at       time.Time
}

// seen learns from a send. oldest is the age of the oldest draft held. It tells which breaker has
// just opened: whyNumber, whyProvider, or none.
func (g *gates) seen(cfg *Config, d *draft, o outcome, oldest time.Duration) (opened string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, now := o.class, o.at
	overload := c == policy.Overloaded || o.timedOut
	cfg.Dispatch.limit().Seen(&g.limit, now, o.took, overload, o.underWay)
	cfg.Throttle.Count(&g.throttle, now, !overload)
	switch {
	case c == policy.Accepted:
		cfg.Budget.Success(&g.budget, now)
		if n := g.number(cfg, d.from, now); n != nil {
			n.sent.Add(now)
		}
		if !g.accepted.IsZero() && now.Sub(g.accepted) > time.Minute && oldest > time.Minute {
			g.drain(now)
		}
		g.accepted = now
	case c == policy.Throttled:
		g.slow(cfg, d, o.scope, now, now.Add(-o.took))
	}
	if oldest < cfg.Drain.Until {
		g.drains = time.Time{}
	}
	opened = g.judge(cfg, o)
	if cfg.Breaker.Off() {
		return opened
	}
	b := g.breakers[d.from]
	if b == nil {
		if c != policy.Stopped {
			return opened
		}
		b = new(policy.BreakerState)
		g.breakers[d.from] = b
	}
	if cfg.Breaker.Seen(b, now, c == policy.Stopped, c == policy.Accepted || c == policy.Permanent || c == policy.MediaGone) {
		opened = whyNumber
	}
	if !b.IsOpen() && c == policy.Accepted {
		delete(g.breakers, d.from)
		if oldest > time.Minute {
			g.drain(now)
		}
	}
	return opened
}

// judge tells the provider's breaker of a send: a failure that any other message would have met, or an answer that only
// an API that works gives. What never came to the API tells nothing.
func (g *gates) judge(cfg *Config, o outcome) string {
	failed := o.scope == policy.ScopeProvider
	told := o.class != policy.NotSent && o.class != policy.Overloaded && o.class != policy.Unknown
	rule := cfg.Provider
	if o.class != policy.Unknown { // a probe that leaves nobody in doubt may come again as soon
		rule.OpenMax = rule.Open
	}
	opened := rule.Seen(&g.provider, o.at, failed, told && !failed)
	if failed && o.class == policy.Unknown {
		g.provider.Unclear()
	}
	if opened {
		return whyProvider
	}
	return ""
}

// open tells whether the provider's breaker is open, and then how long until the next probe.
func (g *gates) open(cfg *Config, now time.Time) (open bool, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if cfg.Provider.Off() || !g.provider.IsOpen() {
		return false, 0
	}
	return true, cfg.Provider.Wait(&g.provider, now, 0)
}

// slow holds back what the API has throttled.
func (g *gates) slow(cfg *Config, d *draft, scope policy.Scope, now, began time.Time) {
	switch scope {
	case policy.ScopePair:
		if p := g.pair(cfg, d.pair); p != nil {
			p.Hold(now.Add(4*time.Second), pairRate(cfg), cfg.Pair.Burst)
		}
	case policy.ScopeNumber, policy.ScopeQuality, policy.ScopeApp:
		n := g.number(cfg, d.from, now)
		switch {
		case n == nil:
		case cfg.Number.Adapt.Off():
			n.Hold(now.Add(time.Second), cfg.Number.Rate, cfg.Number.Burst)
		default:
			cfg.Number.Adapt.Refused(&n.adapt, now, began, n.sent.PerSecond(now)/cfg.Number.Rate.PerSecond())
		}
	}
}

// pay asks the budget for a retry.
func (g *gates) pay(cfg *Config, now time.Time, timedOut bool) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return cfg.Budget.Spend(&g.budget, now, timedOut)
}

// sweep forgets pairs and numbers that have rested.
func (g *gates) sweep(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, p := range g.pairs {
		if p.Rested(now) {
			delete(g.pairs, k)
		}
	}
	for k, n := range g.numbers {
		if n.Rested(now) && now.Sub(n.used) > 10*time.Minute {
			delete(g.numbers, k)
		}
	}
}

// stopped lists the numbers whose breaker is open.
func (g *gates) stopped() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for n, b := range g.breakers {
		if b.IsOpen() {
			out = append(out, n)
		}
	}
	return out
}

package fakewa

import (
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/quantity"
)

// terms is the part of the configuration that faults change for the requests in their scope.
type terms struct {
	throughput                       quantity.Rate
	pair                             Pair
	uploadLife, inboundLife, urlLife time.Duration
}

func termsOf(c *Config) terms {
	return terms{c.Limits.Throughput, c.Limits.Pair, c.Media.UploadLife, c.Media.InboundLife, c.Media.URLLife}
}

// limiter holds what was used of the limits. A bucket costs the same however many messages have passed through it.
type limiter struct {
	numbers map[string]*bucket // throughput by number, management calls by account
	pairs   map[uint64]pairUse
	users   map[uint64]userUse // by user, over all numbers
	fresh   int                // users first written to within the last 24 hours, outside a window
	opened  []opening          // in order: when each of them was first written to
	swept   time.Time
}

// bucket is a token bucket told by how much is missing from it.
type bucket struct {
	at      time.Time
	missing float64
}

// pairUse is the debt of one number to one user. blocked: strict pay-back has begun.
type pairUse struct {
	at      int64
	debt    float32
	blocked bool
}

type userUse struct {
	wrote int64 // when the user last wrote to the business, Unix ns
	ours  int64 // when the business first wrote to the user within the last 24 hours
}

type opening struct {
	user uint64
	at   int64
}

const day = 24 * time.Hour

func newLimiter() limiter {
	return limiter{numbers: map[string]*bucket{}, pairs: map[uint64]pairUse{}, users: map[uint64]userUse{}}
}

// take uses up one message of every limit, or says which limit refuses it and for how long; a refused message uses
// up nothing.
func (l *limiter) take(now time.Time, number string, m *Message, t terms, cfg *Config) (*apiError, time.Duration) {
	if cfg.Limits.Window && cfg.Limits.WindowBy == "reply" && !l.open(now, number, m) {
		return fail(131047, ""), 0
	}
	if wait := l.throughput(now, number, t.throughput, false); wait > 0 {
		return throttled(130429, cfg), wait
	}
	if !l.tier(now, m, cfg.Limits.Tier) {
		return fail(cfg.Limits.TierCode, ""), 0
	}
	if wait := l.pair(now, number, m.WAID, t.pair); wait > 0 {
		return throttled(131056, cfg), wait // to a user who was written to before: the tier's count stays
	}
	l.throughput(now, number, t.throughput, true)
	return nil, 0
}

func throttled(code int, cfg *Config) *apiError {
	e := fail(code, "")
	e.status = cfg.Limits.Status
	return e
}

// throughput returns how long until the number may send again, 0 when it may now. A second's worth is let through at
// once.
func (l *limiter) throughput(now time.Time, number string, rate quantity.Rate, use bool) time.Duration {
	per := rate.PerSecond()
	if per <= 0 {
		return 0
	}
	return l.bucket(number).take(now, per, max(1, per), use)
}

// call takes one management call of an account; all that the rate's time allows may come at once.
func (l *limiter) call(now time.Time, account string, rate quantity.Rate) time.Duration {
	if rate.IsZero() {
		return 0
	}
	return l.bucket("calls of "+account).take(now, rate.PerSecond(), max(1, rate.Count), true)
}

func (l *limiter) bucket(name string) *bucket {
	b := l.numbers[name]
	if b == nil {
		b = &bucket{}
		l.numbers[name] = b
	}
	return b
}

// take adds one to what is missing if that leaves no more than size missing.
func (b *bucket) take(now time.Time, per, size float64, use bool) time.Duration {
	b.missing = max(0, b.missing-now.Sub(b.at).Seconds()*per)
	b.at = now
	if b.missing+1 > size+1e-9 {
		return span((b.missing + 1 - size) / per * float64(time.Second))
	}
	if use {
		b.missing++
	}
	return 0
}

// span is so many nanoseconds, however absurdly many.
func span(ns float64) time.Duration { return time.Duration(min(ns, math.MaxInt64/4)) }

// pair returns how long until the number may write to the user again, and uses one message up when it may now.
func (l *limiter) pair(now time.Time, number, user string, p Pair) time.Duration {
	if p.Every <= 0 {
		return 0
	}
	key := chance.Key(number) ^ chance.Key(user)*3
	u, at := l.pairs[key], now.UnixNano()
	debt := max(0, float64(u.debt)-float64(at-u.at)/float64(p.Every))
	if u.at == 0 {
		debt = 0
	}
	if debt == 0 {
		u.blocked = false
	}
	burst := float64(max(1, p.Burst))
	wait := time.Duration(0)
	// Strict pay-back: once a burst has paused, all that was borrowed is due before the next message.
	if p.Strict && (debt+1 > burst+1e-6 || debt > 1 && at-u.at > int64(p.Every)) {
		u.blocked = true
	}
	switch {
	case u.blocked:
		wait = span(debt * float64(p.Every))
	case debt+1 > burst+1e-6:
		wait = span((debt + 1 - burst) * float64(p.Every))
	default:
		debt++
	}
	u.at, u.debt = at, float32(debt)
	l.pairs[key] = u
	l.sweep(now, span(float64(p.Every)*burst))
	return wait
}

// tier reports whether another user may be written to outside a window, and counts the user.
func (l *limiter) tier(now time.Time, m *Message, most int) bool {
	if most <= 0 {
		return true
	}
	at, key := now.UnixNano(), chance.Key(m.WAID)
	for len(l.opened) > 0 && at-l.opened[0].at >= int64(day) {
		u := l.users[l.opened[0].user]
		if u.ours == l.opened[0].at {
			u.ours = 0
			l.users[l.opened[0].user] = u
			l.fresh--
			if at-u.wrote >= int64(day) {
				delete(l.users, l.opened[0].user)
			}
		}
		l.opened = l.opened[1:]
	}
	u := l.users[key]
	if u.ours != 0 || u.wrote != 0 && at-u.wrote < int64(day) {
		return true
	}
	if l.fresh >= most {
		return false
	}
	u.ours = at
	l.users[key] = u
	l.fresh++
	l.opened = append(l.opened, opening{key, at})
	return true
}

// open reports whether a message may be sent without a template.
func (l *limiter) open(now time.Time, _ string, m *Message) bool {
	if m.Type == "template" {
		return true
	}
	u, ok := l.users[chance.Key(m.WAID)]
	return ok && u.wrote != 0 && now.UnixNano()-u.wrote < int64(day)
}

// heard notes that a user wrote.
func (l *limiter) heard(now time.Time, user string) {
	key := chance.Key(user)
	u := l.users[key]
	u.wrote = now.UnixNano()
	l.users[key] = u
}

// sweep forgets pairs that owe nothing, once per span.
func (l *limiter) sweep(now time.Time, span time.Duration) {
	if len(l.pairs) < 1<<16 || now.Sub(l.swept) < span {
		return
	}
	l.swept = now
	for k, u := range l.pairs {
		if now.UnixNano()-u.at > int64(span) {
			delete(l.pairs, k)
		}
	}
}

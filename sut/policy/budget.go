package policy

import "time"

// Budget pays for retries: each success puts a fraction of a token in, each retry takes a whole one, a retry after a
// timeout takes more, and a slow trickle lets a few through always. The zero Budget is off: every retry is free.
type Budget struct {
	PerSuccess float64 `yaml:"per_success"` // tokens put in by a success
	Timeout    float64 `yaml:"timeout"`     // tokens that a retry after a timeout takes; other retries take 1
	Floor      float64 `yaml:"floor"`       // tokens a second that come in by themselves
	Cap        float64 `yaml:"cap"`         // the most that is kept
}

// BudgetState is what is in the budget.
type BudgetState struct {
	tokens float64
	at     time.Time
	primed bool
}

// Off reports whether retries are free.
func (b Budget) Off() bool { return b.Cap <= 0 }

func (b Budget) flow(s *BudgetState, now time.Time) {
	if !s.primed {
		s.tokens, s.at, s.primed = b.Cap, now, true
	}
	if d := now.Sub(s.at); d > 0 {
		s.tokens = min(b.Cap, s.tokens+d.Seconds()*b.Floor)
		s.at = now
	}
}

// Success puts a success's share in.
func (b Budget) Success(s *BudgetState, now time.Time) {
	if b.Off() {
		return
	}
	b.flow(s, now)
	s.tokens = min(b.Cap, s.tokens+b.PerSuccess)
}

// Spend pays for one retry. When there is not enough it returns how long the trickle takes to make up for it; the retry
// may come then, without asking again.
func (b Budget) Spend(s *BudgetState, now time.Time, timedOut bool) (wait time.Duration) {
	if b.Off() {
		return 0
	}
	b.flow(s, now)
	cost := 1.0
	if timedOut {
		cost = max(b.Timeout, 1)
	}
	s.tokens -= cost
	if s.tokens >= 0 {
		return 0
	}
	if b.Floor <= 0 {
		s.tokens += cost
		return time.Minute
	}
	wait = time.Duration(-s.tokens / b.Floor * float64(time.Second))
	if wait > longestDebt {
		s.tokens += cost
		return longestDebt
	}
	return wait
}

// longestDebt bounds how far ahead retries are paid for.
const longestDebt = time.Minute

// Tokens is what is in the budget; below zero, what is owed.
func (s *BudgetState) Tokens() float64 { return s.tokens }

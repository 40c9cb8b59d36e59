package policy

import (
	"math"
	"time"
)

// SendRule is what happens after an attempt to send. Mode "any" retries every failure alike, in place, as the incident
// did; "classified" does what the answer means.
type SendRule struct {
	Mode       string        `yaml:"mode"`        // any | classified
	Attempts   int           `yaml:"attempts"`    // the most that one draft is tried
	Backoff    time.Duration `yaml:"backoff"`     // before the second attempt
	BackoffMax time.Duration `yaml:"backoff_max"` // the backoff doubles up to here; 0 keeps it fixed
	Jitter     string        `yaml:"jitter"`      // none | full
	Exhausted  string        `yaml:"exhausted"`   // dead | requeue, when the attempts are used up
	Requeue    time.Duration `yaml:"requeue"`     // how long a requeued draft rests; it is tried once each time it comes back
}

// Hold is what happens to a send whose outcome is not known.
type Hold struct {
	For     time.Duration // wait this long for a status webhook to tell
	Then    string        // resend | stay | drop
	Resends int           // how often it may be sent again
}

// Facts is what is known after an attempt.
type Facts struct {
	Class     Class
	Scope     Scope
	Attempt   int           // sends so far, this one included
	Counted   int           // of those, the ones that count against the limit: in mode any all of them
	Unknowns  int           // of those, sends whose outcome was not known
	After     time.Duration // the other side's hint
	Refreshed bool          // media had been resolved anew for this attempt
	Template  bool          // a fallback template is at hand
	Now       time.Time
	Expires   time.Time // zero is never
}

// Action is what to do with a draft.
type Action uint8

// The actions.
const (
	Finish   Action = iota // accepted
	RetryNow               // again, in place, after Wait
	Later                  // back to the queue, not before Wait is over
	HoldIt                 // wait for a status webhook
	Refresh                // again at once with media resolved anew
	Fallback               // again at once as a template
	Expire                 // given up: media or validity ran out
	Fail                   // given up: refused for good
	Bury                   // given up: attempts used up; to the dead letters
	GiveUp                 // outcome stays unknown
)

// Decision is an action and how long to wait before it.
type Decision struct {
	Action Action
	Wait   time.Duration
	Reason string
	Spends bool // a retry that has to be paid for from the budget
}

// Decide says what follows an attempt. u is a uniform number for the jitter.
func (r SendRule) Decide(f Facts, hold Hold, u float64) Decision {
	if f.Class == Accepted {
		return Decision{Action: Finish}
	}
	if r.Mode == "any" {
		return r.blind(f, u)
	}
	switch f.Class {
	case Permanent:
		return Decision{Action: Fail, Reason: "refused"}
	case NoWindow:
		if f.Template {
			return Decision{Action: Fallback, Reason: "outside the 24 h window"}
		}
		return Decision{Action: Fail, Reason: "outside the 24 h window, and no template to fall back on"}
	case MediaGone:
		if !f.Refreshed {
			return Decision{Action: Refresh, Reason: "media", Spends: true}
		}
		if f.Counted >= r.Attempts {
			return Decision{Action: Expire, Reason: "media"}
		}
	case Unknown:
		return Decision{Action: HoldIt, Wait: hold.For, Reason: "outcome unknown"}
	case Retryable:
		if f.Counted >= r.Attempts {
			return r.exhausted(f)
		}
	}
	wait := max(r.backoff(f.Attempt, u), f.After)
	if f.Class == Overloaded && f.Attempt < r.Attempts { // in place, so that it still counts as under way
		return Decision{Action: RetryNow, Wait: wait, Reason: f.Class.String(), Spends: true}
	}
	if f.Class == Throttled {
		wait = max(wait, throttleWait(f.Scope, f.Attempt))
	}
	if !f.Expires.IsZero() && f.Now.Add(wait).After(f.Expires) {
		return Decision{Action: Expire, Reason: "validity"}
	}
	return Decision{Action: Later, Wait: wait, Reason: f.Class.String(), Spends: f.Class != Throttled && f.Class != Stopped}
}

// AfterHold says what follows when no status came while a send was held.
func (r SendRule) AfterHold(f Facts, hold Hold) Decision {
	switch {
	case !f.Expires.IsZero() && f.Now.After(f.Expires):
		return Decision{Action: Expire, Reason: "validity, its outcome unknown"}
	case hold.Then == "resend" && f.Unknowns <= hold.Resends:
		return Decision{Action: RetryNow, Reason: "no status within the hold", Spends: true}
	case hold.Then == "drop":
		return Decision{Action: GiveUp, Reason: "outcome unknown, dropped"}
	}
	return Decision{Action: GiveUp, Reason: "outcome unknown"}
}

// blind is the incident's way: the same again, whatever went wrong.
func (r SendRule) blind(f Facts, u float64) Decision {
	if f.Counted < r.Attempts {
		return Decision{Action: RetryNow, Wait: r.backoff(f.Counted, u), Reason: f.Class.String(), Spends: true}
	}
	return r.exhausted(f)
}

func (r SendRule) exhausted(f Facts) Decision {
	switch {
	case f.Class == MediaGone:
		return Decision{Action: Expire, Reason: "media"}
	case f.Class == Permanent || f.Class == NoWindow:
		return Decision{Action: Fail, Reason: "refused"}
	case r.Exhausted == "requeue":
		return Decision{Action: Later, Wait: r.Requeue, Reason: "attempts used up: " + f.Class.String()}
	}
	return Decision{Action: Bury, Reason: "attempts used up: " + f.Class.String()}
}

// backoff is the wait after the nth attempt.
func (r SendRule) backoff(n int, u float64) time.Duration {
	return Backoff(r.Backoff, r.BackoffMax, n, r.Jitter, u)
}

// Backoff is base after the first attempt, doubling up to most (0 keeps it fixed), with full jitter when asked: a
// uniform share of it.
func Backoff(base, most time.Duration, n int, jitter string, u float64) time.Duration {
	d := float64(base)
	if most > 0 {
		d = min(d*math.Pow(2, float64(max(n, 1)-1)), float64(most))
	}
	if jitter == "full" {
		d *= u
	}
	return time.Duration(d)
}

// throttleWait is how long a scope rests at least after the API refused it: the pair backs off by 4^n s as Meta
// advises, quality and app limits for minutes.
func throttleWait(s Scope, n int) time.Duration {
	switch s {
	case ScopePair:
		return time.Duration(math.Pow(4, float64(min(n, 5)))) * time.Second
	case ScopeQuality:
		return 10 * time.Minute
	case ScopeApp:
		return 30 * time.Second
	}
	return time.Second
}

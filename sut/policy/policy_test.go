package policy

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/aftershock-dev/aftershock/quantity"
)

// TestTranscripts reads testdata aloud: one policy a file, its settings, what happens to it, what it decides.
func TestTranscripts(t *testing.T) {
	files := 0
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		files++
		s := &stage{rule: SendRule{Mode: "classified", Attempts: 5, Backoff: time.Second, Jitter: "none", Exhausted: "dead"}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out, err := s.act(d)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			return strings.TrimSuffix(out, "\n") + "\n"
		})
	})
	if files == 0 {
		t.Fatal("there are no transcripts")
	}
}

// stage is the state that a transcript builds up.
type stage struct {
	rule      SendRule
	hold      Hold
	budget    Budget
	budgetS   BudgetState
	breaker   Breaker
	breakerS  BreakerState
	throttle  Throttle
	throttleS ThrottleState
	limit     Limit
	limitS    LimitState
	codel     CoDel
	codelS    CoDelState
	shed      Shed
	shedS     ShedState
	scale     ScaleRule
	wishes    Wishes
	pace      Pace
	rate      quantity.Rate
	burst     int
	adapt     Adapt
	adaptS    AdaptState
	meter     Meter
}

// epoch is what at=0s means.
var epoch = time.Date(2025, 6, 6, 17, 33, 0, 0, time.UTC)

// args reads key=value words.
type args struct{ d *datadriven.TestData }

func (a args) text(key, without string) string {
	for _, x := range a.d.CmdArgs {
		if x.Key == key {
			return x.Vals[0]
		}
	}
	return without
}

func (a args) has(key string) bool {
	for _, x := range a.d.CmdArgs {
		if x.Key == key {
			return true
		}
	}
	return false
}

func (a args) duration(key string, without time.Duration) time.Duration {
	if d, err := time.ParseDuration(a.text(key, "")); err == nil {
		return d
	}
	return without
}

func (a args) number(key string, without int) int {
	if n, err := strconv.Atoi(a.text(key, "")); err == nil {
		return n
	}
	return without
}

func (a args) float(key string, without float64) float64 {
	if v, err := strconv.ParseFloat(a.text(key, ""), 64); err == nil {
		return v
	}
	return without
}

func (a args) at() time.Time { return epoch.Add(a.duration("at", 0)) }

func (s *stage) act(d *datadriven.TestData) (string, error) {
	a := args{d}
	for _, f := range []func(string, args) (string, bool){s.sending, s.guarding, s.pacing, s.scaling} {
		if out, ok := f(d.Cmd, a); ok {
			return out, nil
		}
	}
	return "", fmt.Errorf("unknown command %q", d.Cmd)
}

// sending: classify, rule, hold, decide, after-hold.
func (s *stage) sending(cmd string, a args) (string, bool) {
	switch cmd {
	case "classify":
		class, scope := Classify(a.number("status", 200), a.number("code", 0), a.d.Input, a.has("id"))
		return fmt.Sprintf("%s, slows %s", class, [...]string{"the message", "the pair", "the number", "the number for its quality", "the app", "the account", "the provider"}[scope]), true
	case "rule":
		s.rule = SendRule{
			Mode: a.text("mode", "classified"), Attempts: a.number("attempts", 5), Backoff: a.duration("backoff", time.Second),
			BackoffMax: a.duration("backoff_max", 0), Jitter: a.text("jitter", "none"), Exhausted: a.text("exhausted", "dead"),
			Requeue: a.duration("requeue", time.Minute),
		}
		return "ok", true
	case "hold":
		s.hold = Hold{For: a.duration("for", 0), Then: a.text("then", "resend"), Resends: a.number("resends", 1)}
		return "ok", true
	case "decide", "after-hold":
		f := Facts{
			Class: ParseClass(a.text("class", "unknown")), Scope: Scope(a.number("scope", 0)), Attempt: a.number("attempt", 1),
			Unknowns: a.number("unknowns", 0), After: a.duration("after", 0), Refreshed: a.has("refreshed"), Template: a.has("template"), Now: a.at(),
		}
		f.Counted = a.number("counted", f.Attempt)
		if a.has("expires") {
			f.Expires = epoch.Add(a.duration("expires", 0))
		}
		if cmd == "decide" {
			return say(s.rule.Decide(f, s.hold, a.float("u", 0.5))), true
		}
		return say(s.rule.AfterHold(f, s.hold)), true
	}
	return "", false
}

func say(n Decision) string {
	what := [...]string{"finish", "again in place", "back to the queue", "hold", "again with fresh media", "again as a template", "expire", "fail", "dead letter", "stays unknown"}[n.Action]
	out := what
	if n.Wait > 0 {
		out += " after " + n.Wait.String()
	}
	if n.Reason != "" {
		out += ": " + n.Reason
	}
	if n.Spends {
		out += " (paid from the budget)"
	}
	return out
}

// guarding: budget, breaker, throttle, limit, codel, shed.
func (s *stage) guarding(cmd string, a args) (string, bool) {
	now := a.at()
	switch cmd {
	case "budget":
		s.budget = Budget{PerSuccess: a.float("per_success", 0.1), Timeout: a.float("timeout", 2), Floor: a.float("floor", 0), Cap: a.float("cap", 10)}
		s.budgetS = BudgetState{}
		return "ok", true
	case "success":
		for range a.number("times", 1) {
			s.budget.Success(&s.budgetS, now)
		}
		return fmt.Sprintf("%.1f tokens", s.budgetS.Tokens()), true
	case "spend":
		var wait time.Duration
		for range a.number("times", 1) {
			wait = s.budget.Spend(&s.budgetS, now, a.has("timeout"))
		}
		return fmt.Sprintf("wait %v, %.1f tokens", wait, s.budgetS.Tokens()), true
	case "breaker":
		s.breaker = Breaker{Open: a.duration("open", 30*time.Second), OpenMax: a.duration("open_max", 5*time.Minute), After: a.number("after", 1), Close: a.number("close", 0)}
		s.breakerS = BreakerState{}
		return "ok", true
	case "allow":
		if wait := s.breaker.Allow(&s.breakerS, now, a.duration("grace", 0)); wait > 0 {
			return fmt.Sprintf("no, ask again after %v", wait), true
		}
		return "yes", true
	case "seen":
		opened := s.breaker.Seen(&s.breakerS, now, a.has("stopped"), a.has("sound"))
		return fmt.Sprintf("open %v%s", s.breakerS.IsOpen(), map[bool]string{true: ", just now"}[opened]), true
	case "throttle":
		s.throttle = Throttle{K: a.float("k", 2), Window: a.duration("window", 2*time.Minute), Probe: a.duration("probe", 0)}
		s.throttleS = ThrottleState{}
		return "ok", true
	case "calls":
		for i := range a.number("times", 1) {
			s.throttle.Count(&s.throttleS, now, i < a.number("taken", 0))
		}
		return fmt.Sprintf("chance %.2f", s.throttle.Chance(&s.throttleS, now)), true
	case "call":
		return map[bool]string{true: "held back", false: "let through"}[s.throttle.Hold(&s.throttleS, now, a.float("u", 0.5))], true
	case "limit":
		s.limit = Limit{
			Kind: a.text("kind", "fixed"), Min: a.number("min", 1), Max: a.number("max", 100), Initial: a.number("initial", 10),
			Slow: a.duration("slow", 0), Tolerance: a.float("tolerance", 1.5), Queue: a.float("queue", 4), Smoothing: a.float("smoothing", 0.5),
		}
		s.limitS = LimitState{}
		return fmt.Sprintf("limit %d", s.limit.Value(&s.limitS)), true
	case "ended":
		for i := range a.number("times", 1) {
			under := a.number("under", s.limit.Value(&s.limitS))
			s.limit.Seen(&s.limitS, now.Add(time.Duration(i)*a.duration("every", 0)), a.duration("took", time.Second), a.has("overload"), under)
		}
		return fmt.Sprintf("limit %d", s.limit.Value(&s.limitS)), true
	case "codel":
		s.codel, s.codelS = CoDel{Interval: a.duration("interval", 30*time.Second), Target: a.duration("target", 5*time.Second)}, CoDelState{}
		s.codelS.Empty(now)
		return "ok", true
	case "empty":
		s.codelS.Empty(now)
		return "ok", true
	case "serve":
		return map[bool]string{true: "turned away", false: "served"}[s.codel.Drop(&s.codelS, now, a.duration("waited", 0))], true
	case "shed":
		s.shed = Shed{Wait: a.duration("wait", 20*time.Millisecond), Window: a.duration("window", time.Second), Requests: a.number("requests", 0), Down: quantity.Share(a.float("down", 0.05)), Up: quantity.Share(a.float("up", 0.01))}
		s.shedS = ShedState{}
		return "ok", true
	case "window":
		return s.window(a), true
	}
	return "", false
}

// window is a window of requests spread evenly over all priorities, that wait so long each.
func (s *stage) window(a args) string {
	admitted := 0
	n := a.number("requests", ShedLevels)
	for i := range n {
		s.shedS.Waited(a.at(), a.duration("waited", 0))
		if s.shed.Admit(&s.shedS, a.at(), i*ShedLevels/n) {
			admitted++
		}
	}
	return fmt.Sprintf("%d of %d let in, %d of %d levels open", admitted, n, s.shedS.Open(), ShedLevels)
}

// pacing: pace, take, rest, backoff, adapt, share, refused, accepted.
func (s *stage) pacing(cmd string, a args) (string, bool) {
	switch cmd {
	case "pace":
		r, err := quantity.ParseRate(a.text("rate", "0/s"))
		if err != nil {
			return err.Error(), true
		}
		s.rate, s.burst, s.pace = r, a.number("burst", 1), Pace{}
		return "ok", true
	case "take":
		wait := s.pace.Wait(a.at(), s.rate, s.burst)
		if wait > 0 {
			return "wait " + wait.String(), true
		}
		s.pace.Take(a.at(), s.rate)
		return "go", true
	case "back":
		s.pace.Back(s.rate)
		return "ok", true
	case "rest":
		s.pace.Hold(epoch.Add(a.duration("until", 0)), s.rate, s.burst)
		return "ok", true
	case "backoff":
		var out []string
		for n := 1; n <= a.number("times", 5); n++ {
			out = append(out, Backoff(a.duration("base", time.Second), a.duration("max", 0), n, a.text("jitter", "none"), a.float("u", 0.5)).String())
		}
		return strings.Join(out, " "), true
	case "adapt":
		s.adapt, s.adaptS = Adapt{Cut: quantity.Share(a.float("cut", 0.2)), Grow: quantity.Share(a.float("grow", 0.03))}, AdaptState{}
		return "ok", true
	case "share":
		return fmt.Sprintf("%.1f%%", 100*s.adapt.Share(&s.adaptS, a.at())), true
	case "refused":
		s.adapt.Refused(&s.adaptS, a.at(), a.at().Add(-a.duration("took", time.Second)), a.float("rate", 1))
		return fmt.Sprintf("%.1f%%", 100*s.adapt.Share(&s.adaptS, a.at())), true
	case "accepted":
		for i := range a.number("times", 1) {
			s.meter.Add(a.at().Add(time.Duration(i) * a.duration("every", 0)))
		}
		last := a.at().Add(time.Duration(a.number("times", 1)) * a.duration("every", 0))
		return fmt.Sprintf("%.1f a second", s.meter.PerSecond(last)), true
	}
	return "", false
}

// scaling: scale, wish, settle, slowdown.
func (s *stage) scaling(cmd string, a args) (string, bool) {
	switch cmd {
	case "scale":
		s.scale = ScaleRule{
			Tolerance: a.float("tolerance", 0.1), Damping: a.has("damping"), UpFactor: a.float("up_factor", 0),
			UpCopies: a.number("up_copies", 0), DownFactor: a.float("down_factor", 0),
		}
		s.wishes = Wishes{}
		return "ok", true
	case "wish":
		ready, starting := a.number("ready", 3), a.number("starting", 0)
		wish := s.scale.Wish(ready, starting, a.float("ratio", 1))
		return fmt.Sprintf("wants %d, goes to %d", wish, s.scale.Step(ready+starting, wish)), true
	case "settle":
		return fmt.Sprintf("goes to %d", s.wishes.Settle(a.at(), a.number("wish", 3), a.number("current", 3), a.duration("up", 0), a.duration("down", 5*time.Minute))), true
	case "slowdown":
		return fmt.Sprintf("%.2f times slower", Slowdown(a.number("n", 1), a.float("contention", 0), a.float("coherence", 0))), true
	}
	return "", false
}

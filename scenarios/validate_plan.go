package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// drainPhase names the time after the load in thresholds.
const drainPhase = "drain"

// Crashes lists when, within its time, a process can die: at once, in the middle of the next write to its journal, or when
// the next draft comes to a point of its way.
var Crashes = []string{
	"now", "journal", "queued", "created", "claimed", "sending", "answered", "accepted", "finished", "held", "noted", "stored",
}

// Ends reports whether the step does something to the sender's process or its disk.
func (s Step) Ends() bool { return s.Crash != "" || s.Disk != "" }

var replicaText = regexp.MustCompile(`^([a-z][a-z0-9-]*)(/[0-9]+)?$`)

// step checks one entry of the timeline.
func (in *inspector) step(i int) {
	st, key := in.s.Timeline[i], "timeline["+strconv.Itoa(i)+"]"
	acts := map[string]bool{
		"set": len(st.Set) > 0, "fault": st.Fault != nil, "kill": st.Kill != "", "pause": st.Pause != "",
		"partition": st.Partition != "", "delay": len(st.Delay) > 0, "restart": st.Restart != "", "scale": len(st.Scale) > 0,
		"crash": st.Crash != "", "disk": st.Disk != "",
	}
	var does []string
	for _, verb := range []string{"set", "fault", "kill", "pause", "partition", "delay", "restart", "scale", "crash", "disk"} {
		if acts[verb] {
			does = append(does, verb)
		}
	}
	switch {
	case len(does) > 1:
		in.bad(key, "does several things at once: "+join(does), "write one step for each")
	case len(does) == 0 && st.Note == "" && in.tree.Lookup(key+".set") == nil:
		in.bad(key, "does nothing", "give it set, fault, kill, pause, partition, delay, restart, scale, crash, disk or a note")
	}
	if st.May != "" {
		in.oneOf(key+".may", st.May, []string{"miss"})
	}
	if in.tree.Lookup(key+".at") == nil {
		in.bad(key, "does not say when", "add at: 1h30m, counted from the start of the load")
	}
	end := in.s.Duration() + in.s.Drain
	switch {
	case st.At < 0:
		in.bad(key+".at", strict.Duration(st.At)+" is before the start", "times count from the start of the load")
	case in.s.Load.Trace == "" && len(in.s.Load.Phases) > 0 && st.At > end:
		in.bad(key+".at", fmt.Sprintf("%s is after the end of the run (load %s, drain %s)",
			strict.Duration(st.At), strict.Duration(in.s.Duration()), strict.Duration(in.s.Drain)), "")
	}
	switch {
	case st.For < 0:
		in.bad(key+".for", strict.Duration(st.For)+" is negative", "")
	case st.For > 0 && !slices.ContainsFunc(does, func(v string) bool {
		return v == "fault" || v == "kill" || v == "pause" || v == "partition" || v == "delay" || v == "crash" || v == "disk"
	}):
		in.bad(key+".for", "only a fault, a kill, a pause, a partition, a delay, a crash and a full disk end by themselves", "add a second step that changes it back")
	}
	for _, verb := range []struct{ name, target string }{
		{"kill", st.Kill}, {"pause", st.Pause}, {"partition", st.Partition}, {"restart", st.Restart},
	} {
		if verb.target != "" {
			in.replica(key+"."+verb.name, verb.target)
		}
	}
	if st.Crash != "" {
		in.oneOf(key+".crash", st.Crash, Crashes)
	}
	if st.Disk != "" {
		in.oneOf(key+".disk", st.Disk, []string{"full"})
	}
	if st.Ends() && st.For <= 0 {
		in.bad(key, "does not say for how long", "add for: 20s, after which the process starts again, or the disk has room")
	}
	if len(st.Delay) > 1 {
		in.bad(key+".delay", "delays several parts", "write one step for each")
	}
	for name, by := range st.Delay {
		in.replica(key+".delay."+name, name)
		if by <= 0 {
			in.bad(key+".delay."+name, strict.Duration(by)+" delays nothing", "such as 200ms")
		}
	}
	if len(st.Scale) > 1 {
		in.bad(key+".scale", "scales several services", "write one step for each")
	}
	for service, n := range st.Scale {
		in.replica(key+".scale."+service, service)
		if n < 1 {
			in.bad(key+".scale."+service, fmt.Sprintf("%d replicas: at least one has to stay", n), "")
		}
	}
}

// replica checks the name of a service or of one of its replicas.
func (in *inspector) replica(key, name string) {
	m := replicaText.FindStringSubmatch(name)
	if m == nil {
		in.bad(key, strconv.Quote(name)+" is not a replica", "write a service and a number, such as whatsapp/1, or a service")
		return
	}
	if !slices.Contains(services, m[1]) {
		hint := "there are " + join(services)
		if s := strict.Suggest(m[1], services); s != "" {
			hint = "did you mean " + s + m[2] + "?"
		}
		in.bad(key, strconv.Quote(m[1])+" is not a service", hint)
	}
}

// operators are the comparisons of a threshold; longer ones first.
var operators = []string{"<=", ">=", "==", "!=", "<", ">", "between "}

// Limit takes Is apart: "<= +10%" is "<=" and "+10%"; "between 1% and 5%" is "between" and "1% and 5%".
func (t Threshold) Limit() (op, limit string, err error) {
	is := strings.TrimSpace(t.Is)
	for _, op := range operators {
		if rest, ok := strings.CutPrefix(is, op); ok {
			if rest = strings.TrimSpace(rest); rest != "" {
				return strings.TrimSpace(op), rest, nil
			}
			return "", "", fmt.Errorf("%q has nothing to compare with", t.Is)
		}
	}
	return "", "", fmt.Errorf("%q does not begin with a comparison", t.Is)
}

func (in *inspector) thresholds() {
	phases := []string{}
	for _, p := range in.s.Load.Phases {
		phases = append(phases, p.Name)
	}
	seen := map[string]bool{}
	for i, t := range in.s.Thresholds {
		key := "thresholds[" + strconv.Itoa(i) + "]"
		switch {
		case t.ID == "":
			in.bad(key, "has no id", "a short name such as id: no-loss")
		case !nameText.MatchString(t.ID):
			in.bad(key+".id", strconv.Quote(t.ID)+" is not a name", "use letters, digits, dots and dashes")
		case seen[t.ID]:
			in.bad(key+".id", strconv.Quote(t.ID)+" is the id of another threshold, too", "")
		}
		seen[t.ID] = true
		if t.During != "" && t.During != drainPhase && !slices.Contains(phases, t.During) {
			hint := "the load has no phases"
			if s := strict.Suggest(t.During, append(phases, drainPhase)); s != "" {
				hint = "did you mean " + s + "?"
			} else if len(phases) > 0 {
				hint = "there are " + join(phases) + " and " + drainPhase
			}
			in.bad(key+".during", strconv.Quote(t.During)+" is not a phase", hint)
		}
		in.window(key, t)
		if t.Level != "" {
			in.oneOf(key+".level", t.Level, []string{"error", "warn"})
		}
		in.measure(key, t)
	}
}

// measure checks what a threshold measures and what it compares with.
func (in *inspector) measure(key string, t Threshold) {
	before := len(in.errs)
	switch {
	case t.Metric == "":
		in.bad(key, "has no metric", "such as metric: messages.lost")
	case in.blocks.Metric != nil:
		if err := in.blocks.Metric(t.Metric); err != nil {
			e := strict.All(err)[0]
			in.bad(key+".metric", e.Problem, e.Hint)
		}
	}
	if t.Is == "" {
		in.bad(key, "says nothing to compare with", `add is: "<= 10m"`)
	} else if _, _, err := t.Limit(); err != nil {
		in.bad(key+".is", err.Error(), `write < <= > >= == or != and a limit, such as "> 10m", or "between 1% and 5%"`)
	}
	if len(in.errs) == before && in.blocks.Threshold != nil {
		if err := in.blocks.Threshold(t); err != nil {
			for _, e := range strict.All(err) {
				k := key
				if e.Key != "" {
					k += "." + e.Key
				}
				in.bad(k, e.Problem, e.Hint)
			}
		}
	}
}

func (in *inspector) window(key string, t Threshold) {
	end := in.s.Duration() + in.s.Drain
	known := in.s.Load.Trace == "" && len(in.s.Load.Phases) > 0
	for _, w := range []struct {
		name  string
		value int64
	}{{"from", int64(t.From)}, {"to", int64(t.To)}, {"for", int64(t.For)}, {"some", int64(t.Some)}, {"within", int64(t.Within)}} {
		if w.value < 0 {
			in.bad(key+"."+w.name, "is negative", "times count from the start of the load")
		}
	}
	length := end - t.From
	if t.To > 0 {
		length = t.To - t.From
	}
	for _, p := range in.s.Load.Phases {
		if p.Name == t.During {
			length = p.For
		}
	}
	switch {
	case t.For > 0 && t.Some > 0:
		in.bad(key, "has for and also some", "for: every window of that length; some: one stretch of it")
	case known && t.During != drainPhase && max(t.For, t.Some) > length && length > 0:
		in.bad(key, fmt.Sprintf("has to hold for %s, but looks at %s", strict.Duration(max(t.For, t.Some)), strict.Duration(length)), "a shorter time, or a longer window")
	}
	switch {
	case t.During != "" && (t.From != 0 || t.To != 0):
		in.bad(key, "has during and also from or to", "a phase, or a stretch of time")
	case t.To != 0 && t.To <= t.From:
		in.bad(key+".to", strict.Duration(t.To)+" is not after from: "+strict.Duration(t.From), "")
	case known && t.From >= end && t.From > 0:
		in.bad(key+".from", fmt.Sprintf("%s is after the end of the run (load %s, drain %s)",
			strict.Duration(t.From), strict.Duration(in.s.Duration()), strict.Duration(in.s.Drain)), "")
	}
}

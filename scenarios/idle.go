package scenarios

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
)

// shortest is how long a fault has to last to strike anything.
const shortest = 100 * time.Millisecond

// mediaKinds are the types of messages that carry a file.
var mediaKinds = []string{"image", "video", "audio", "document", "sticker"}

// mediaPlaces are the endpoints that only files are asked for at.
var mediaPlaces = []string{"media", "upload", "metadata", "download", "delete"}

// uncalled are the endpoints that the reference sender never asks.
var uncalled = []string{"number", "phone_numbers", "templates", "subscribed_apps", "message_history", "management"}

// idle notes that a step would do nothing. Such a scenario is not wrong, but its run will be invalid: check refuses it.
func (in *inspector) idle(i int, key, problem string) {
	if in.tree.Field("timeline").Items[i].Field("may") != nil {
		return
	}
	key = "timeline[" + strconv.Itoa(i) + "]." + key
	in.s.Idle = append(in.s.Idle, in.tree.Place(key).Error(key, problem, "mend it, take it away, or say may: miss"))
}

// idleJudge notes that nothing would be judged.
func (in *inspector) idleJudge() {
	if in.s.Measures() || slices.ContainsFunc(in.s.Thresholds, func(t Threshold) bool { return t.Level != "warn" }) {
		return
	}
	problem := "are none, so nothing is judged"
	if len(in.s.Thresholds) > 0 {
		problem = "only warn, so nothing is judged"
	}
	in.s.Idle = append(in.s.Idle, in.tree.Place("thresholds").Error("thresholds", problem, "add some, or say purpose: measure"))
}

// idleFault looks for what a fault cannot strike, as far as the scenario tells.
func (in *inspector) idleFault(i int, f *Fault, lasts time.Duration) {
	n, err := strict.Parse("", f.Raw)
	if err != nil {
		return // said already
	}
	text := func(key string) string {
		if v := n.Field(key); v != nil {
			return strings.TrimSpace(v.Text)
		}
		return ""
	}
	types := in.types()
	if t := text("type"); t != "" && types != nil && !slices.Contains(types, t) {
		in.idle(i, "fault.type", "strikes nothing: no message is of type "+strconv.Quote(t))
	}
	if s := text("share"); s != "" && strings.Trim(s, "0.%") == "" {
		in.idle(i, "fault.share", "strikes nothing: "+s+" of the requests")
	}
	if num := text("number"); num != "" && in.s.Target == nil && in.blocks.Number != "" && num != in.blocks.Number {
		in.idle(i, "fault.number", "strikes nothing: the sender's number is "+in.blocks.Number)
	}
	if own, err := time.ParseDuration(text("for")); err == nil && (lasts == 0 || own < lasts) {
		lasts = own
	}
	if lasts > 0 && lasts < shortest {
		in.idle(i, "fault", "strikes nothing: it lasts "+strict.Duration(lasts))
	}
	in.idlePlaces(i, text("where"), types)
}

// idlePlaces looks at the endpoints of a fault.
func (in *inspector) idlePlaces(i int, where string, types []string) {
	files := types == nil || slices.ContainsFunc(types, func(t string) bool { return slices.Contains(mediaKinds, t) })
	why := ""
	for place := range strings.SplitSeq(where, ",") {
		switch place = strings.TrimSpace(place); {
		case slices.Contains(mediaPlaces, place) && !files:
			why = "strikes nothing: no message carries media"
		case slices.Contains(uncalled, place) && in.s.Target == nil:
			why = "strikes nothing: the sender never asks there"
		default:
			return
		}
	}
	in.idle(i, "fault.where", why)
}

// types are the types of messages that the load has; nil when they are not known before it is read.
func (in *inspector) types() []string {
	if in.s.Load.Trace != "" || in.s.Load.Arrivals == "trace" {
		return nil
	}
	out := []string{}
	for _, kind := range slices.Sorted(maps.Keys(in.s.Messages.Mix)) {
		if in.s.Messages.Mix[kind] > 0 {
			out = append(out, kind)
		}
	}
	if len(in.s.Messages.Mix) == 0 {
		out = append(out, "text")
	}
	return out
}

// idleSteps follows the timeline through the settings that it changes, and notes what would do nothing.
func (in *inspector) idleSteps() {
	steps := in.tree.Field("timeline")
	if steps == nil {
		return
	}
	state := &strict.Node{Kind: strict.Map}
	for _, key := range []string{"sender", "whatsapp"} {
		if n := in.tree.Field(key); n != nil && n.Kind != strict.Null {
			state.Fields = append(state.Fields, strict.Field{Key: key, Value: n.Clone()})
		}
	}
	for _, i := range inOrder(steps.Items) {
		st := in.s.Timeline[i]
		if st.Fault != nil {
			in.idleFault(i, st.Fault, st.For)
		}
		in.idleUndone(i, st)
		in.idleChange(i, st, state)
		in.idleReplica(i, st, state)
	}
}

// idleUndone notes a set or a scale that another step of the same instant takes back or overrides, and a set of what no
// message has.
func (in *inspector) idleUndone(i int, st Step) {
	for j, later := range in.s.Timeline {
		if j <= i || later.At != st.At {
			continue
		}
		if len(st.Set) > 0 && within(st.Set, later.Set) {
			in.idle(i, "set", fmt.Sprintf("changes nothing: timeline[%d] sets the same at the same instant", j))
		}
		if len(st.Scale) > 0 && within(st.Scale, later.Scale) {
			in.idle(i, "scale", fmt.Sprintf("changes nothing: timeline[%d] scales the same at the same instant", j))
		}
	}
	types := in.types()
	files := types == nil || slices.ContainsFunc(types, func(t string) bool { return slices.Contains(mediaKinds, t) })
	if len(st.Set) > 0 && !files && !slices.ContainsFunc(slices.Collect(maps.Keys(st.Set)), func(key string) bool { return !strings.Contains(key, ".media.") }) {
		in.idle(i, "set", "changes nothing: no message carries media")
	}
}

// within reports whether all keys of one map are in another.
func within[V, W any](a map[string]V, b map[string]W) bool {
	for k := range a {
		if _, ok := b[k]; !ok {
			return false
		}
	}
	return true
}

// idleChange lays a set or a scale over the state, and notes one that leaves it as it is.
func (in *inspector) idleChange(i int, st Step, state *strict.Node) {
	before := in.settings(state)
	if before == nil {
		return
	}
	key := "set"
	for k, n := range st.Scale {
		key = "scale." + k
		over := map[string]int{"sender.drafts.replicas.count": n}
		if k == "whatsapp" {
			most, _ := strconv.Atoi(before["sender.whatsapp.replicas.max"])
			over = map[string]int{"sender.whatsapp.replicas.min": n, "sender.whatsapp.replicas.max": max(n, most)}
		} else if k != "drafts" {
			return
		}
		for name, n := range over {
			if state.Set(name, &strict.Node{Kind: strict.Scalar, Text: strconv.Itoa(n), Plain: true}) != nil {
				return
			}
		}
	}
	if set := in.tree.Field("timeline").Items[i].Field("set"); set != nil {
		for _, f := range set.Fields {
			if state.Set(f.Key, f.Value) != nil {
				return
			}
		}
	}
	if (len(st.Set) > 0 || len(st.Scale) > 0) && Unchanged(before, in.settings(state)) {
		in.idle(i, key, "changes nothing: that is the value in force")
	}
}

// settings are those in force in a state, by dotted key; nil when nobody knows.
func (in *inspector) settings(state *strict.Node) map[string]string {
	if in.blocks.Settings == nil || in.s.Target != nil {
		return nil
	}
	sender, whatsapp := state.Field("sender").YAML(), state.Field("whatsapp").YAML()
	if now := string(sender) + "\x00" + string(whatsapp); in.state != now || in.inForce == nil {
		in.state, in.inForce = now, in.blocks.Settings(sender, whatsapp)
	}
	return in.inForce
}

// Unchanged reports whether two sets of settings are the same, however their rates are written: 5/s is 300/min.
func Unchanged(before, after map[string]string) bool {
	return maps.EqualFunc(before, after, func(a, b string) bool {
		if a == b {
			return true
		}
		x, err1 := quantity.ParseRate(a)
		y, err2 := quantity.ParseRate(b)
		return err1 == nil && err2 == nil && math.Abs(x.PerSecond()-y.PerSecond()) <= 1e-9*x.PerSecond()
	})
}

// idleReplica notes a replica whose number is above what scaling may come to.
func (in *inspector) idleReplica(i int, st Step, state *strict.Node) {
	for key, target := range map[string]string{"kill": st.Kill, "pause": st.Pause, "partition": st.Partition, "restart": st.Restart} {
		service, number, _ := strings.Cut(target, "/")
		slot, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		ceiling, known := map[string]string{"whatsapp": "sender.whatsapp.replicas.max", "drafts": "sender.drafts.replicas.count"}[service]
		most, err := strconv.Atoi(in.settings(state)[ceiling])
		if known && err == nil && slot > max(1, most) {
			in.idle(i, key, fmt.Sprintf("there is no %s: %s has %d replicas at the most", target, service, most))
		}
	}
}

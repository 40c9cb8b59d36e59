package scenarios

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// inspector checks one tree.
type inspector struct {
	tree   *strict.Node
	blocks Blocks
	s      Scenario
	errs   strict.Errors

	state   string            // of the settings that were asked for last
	inForce map[string]string // what they came to
}

// inspect reads a tree and checks it whole. The scenario is complete only when nothing is wrong.
func inspect(tree *strict.Node, b Blocks) (*Scenario, strict.Errors) {
	in := &inspector{tree: tree, blocks: b, s: defaults()}
	err := tree.Decode(&in.s)
	in.errs = strict.All(err)
	in.owned()
	if err == nil {
		in.validate()
	}
	if len(in.errs) == 0 {
		in.idleJudge()
		in.idleSteps()
	}
	return &in.s, in.errs
}

// bad notes that something is wrong with the value at a key.
func (in *inspector) bad(key, problem, hint string) {
	in.errs = append(in.errs, in.tree.Place(key).Error(key, problem, hint))
}

// owned has the blocks checked by their owners: as the run begins, and after every step that changes them.
func (in *inspector) owned() {
	state := &strict.Node{Kind: strict.Map}
	for _, key := range []string{"sender", "whatsapp"} {
		if n := in.tree.Field(key); n != nil && n.Kind != strict.Null {
			state.Fields = append(state.Fields, strict.Field{Key: key, Value: n.Clone()})
		}
	}
	known := in.ask(state)
	in.errs = append(in.errs, known...)
	steps := in.tree.Field("timeline")
	if steps == nil {
		return
	}
	for _, i := range inOrder(steps.Items) {
		step := steps.Items[i]
		key := "timeline[" + strconv.Itoa(i) + "]"
		if set := step.Field("set"); set != nil {
			known = in.setStep(state, set, key+".set", known)
		}
		if f := step.Field("fault"); f != nil && f.Kind == strict.Map && in.blocks.Fault != nil {
			if err := in.blocks.Fault(f.YAML()); err != nil {
				in.errs = append(in.errs, in.translate(err, f, key+".fault")...)
			}
		}
	}
}

// inOrder returns the numbers of the steps in the order in which they happen.
func inOrder(steps []*strict.Node) []int {
	at := make([]time.Duration, len(steps))
	order := make([]int, len(steps))
	for i, s := range steps {
		order[i] = i
		if n := s.Field("at"); n != nil {
			at[i], _ = time.ParseDuration(n.Text) // a wrong one is told elsewhere
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(at[a], at[b]) })
	return order
}

// setStep lays a step's settings over the state and tells what that makes wrong.
func (in *inspector) setStep(state, set *strict.Node, key string, known strict.Errors) strict.Errors {
	if set.Kind != strict.Map {
		return known // said already
	}
	if len(set.Fields) == 0 {
		in.bad(key, "sets nothing", "such as set: {sender.drafts.rate_limit: 300/min}")
	}
	before := state.Clone()
	for _, f := range set.Fields {
		block, _, _ := strings.Cut(f.Key, ".")
		if block != "sender" && block != "whatsapp" {
			hint := "only sender.… and whatsapp.… change while a run goes on"
			in.errs = append(in.errs, f.Pos.Error(key+"."+f.Key, "cannot be set by the timeline", hint))
			continue
		}
		in.errs = append(in.errs, strict.All(state.Set(f.Key, f.Value))...)
	}
	now := in.ask(state)
	found := false
	for _, e := range now {
		if !slices.ContainsFunc(known, func(k *strict.Error) bool { return k.Key == e.Key && k.Problem == e.Problem }) {
			c := *e
			c.Key = key + "." + e.Key
			if p := set.Place(e.Key); p.Line > 0 {
				c.File, c.Line, c.Column = p.File, p.Line, p.Column
			}
			in.errs = append(in.errs, &c)
			found = true
		}
	}
	if found { // so that the steps after it are checked against what was right
		*state = *before
		return known
	}
	return now
}

// ask has the sender's and the fake's block of a state checked.
func (in *inspector) ask(state *strict.Node) strict.Errors {
	var out strict.Errors
	for key, check := range map[string]func(string, []byte) error{"sender": in.blocks.Sender, "whatsapp": in.blocks.WhatsApp} {
		n := state.Field(key)
		if n == nil || check == nil {
			continue
		}
		if e := misnamed(n.Field("preset"), in.blocks.Presets); e != nil && key == "sender" {
			out = append(out, e)
			continue
		}
		if err := check(n.File, n.YAML()); err != nil {
			out = append(out, in.translate(err, n, key)...)
		}
	}
	slices.SortStableFunc(out, func(a, b *strict.Error) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// misnamed tells of a preset that there is not.
func misnamed(preset *strict.Node, known []string) *strict.Error {
	if preset == nil || len(known) == 0 || preset.Kind != strict.Scalar || slices.Contains(known, preset.Text) {
		return nil
	}
	hint := "there are " + join(known)
	if s := strict.Suggest(preset.Text, known); s != "" {
		hint = "did you mean " + s + "?"
	}
	return preset.Error("sender.preset", strconv.Quote(preset.Text)+" is not a preset", hint)
}

// translate turns what the owner of a block says about it into keys and lines of the file. The owner saw block.YAML().
func (in *inspector) translate(err error, block *strict.Node, key string) strict.Errors {
	seen, perr := strict.Parse("", block.YAML())
	if perr != nil {
		seen = &strict.Node{}
	}
	var out strict.Errors
	for _, e := range sentences(err, block) {
		c := *e
		within := strings.TrimPrefix(e.Key, key+".")
		if within == key {
			within = ""
		}
		if within == "" && e.Line > 0 {
			within = seen.KeyOn(e.Line)
		}
		c.Key = key
		if within != "" {
			c.Key += "." + within
		}
		at := block.Place(within)
		if within == "" || at.File == "" {
			at = in.tree.Place(c.Key)
		}
		c.File, c.Line, c.Column = at.File, at.Line, at.Column
		out = append(out, &c)
	}
	return out
}

var quoted = regexp.MustCompile(`"([^"]+)"`)

// keyOf finds the key under which a value stands, or "".
func keyOf(n *strict.Node, value, prefix string) string {
	for _, f := range n.Fields {
		if f.Value.Kind == strict.Scalar && f.Value.Text == value {
			return prefix + f.Key
		}
		if k := keyOf(f.Value, value, prefix+f.Key+"."); k != "" {
			return k
		}
	}
	return ""
}

// sentences takes an owner's error apart. One that is no *strict.Error is read line by line, and "key: problem" is
// understood when there is such a key; otherwise the value that it quotes tells which key is meant.
func sentences(err error, block *strict.Node) strict.Errors {
	list := strict.All(err)
	if len(list) != 1 || list[0].File != "" || list[0].Key != "" || list[0].Line != 0 {
		return list
	}
	var out strict.Errors
	for line := range strings.Lines(list[0].Problem) {
		line = strings.TrimPrefix(strings.TrimSpace(line), block.File+": ")
		e := &strict.Error{Problem: line}
		if key, problem, ok := strings.Cut(line, ": "); ok && block.Lookup(key) != nil {
			e.Key, e.Problem = key, problem
		} else if m := quoted.FindStringSubmatch(line); m != nil {
			e.Key = keyOf(block, m[1], "")
		}
		if line != "" {
			out = append(out, e)
		}
	}
	return out
}

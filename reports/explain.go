package reports

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Explanation says why something happened to messages: groups by cause, the largest first. Counts add up to Total.
type Explanation struct {
	What   string  `json:"what"`  // duplicates, expired, lost, …
	Unit   string  `json:"unit"`  // what is counted: copies or messages
	Total  int     `json:"total"` // equals the number in summary.json
	Groups []Group `json:"groups"`
}

// Group is one cause.
type Group struct {
	Cause    string   `json:"cause"`
	Detail   string   `json:"detail"` // what the attempts show
	Count    int      `json:"count"`
	Messages int      `json:"messages"`
	Examples []string `json:"examples"` // message IDs, the earliest first
}

// examples is how many messages a group names.
const examples = 5

// Kinds are what Explain explains, beside single messages.
var Kinds = []string{"duplicates", "expired", "lost", "failed", "shed", "pending", "unsent", "misdelivered"}

// Explain groups what happened to messages by its cause: duplicates, or the messages of one outcome.
func (r *Report) Explain(kind string) (Explanation, error) {
	if !slices.Contains(Kinds, kind) {
		return Explanation{}, fmt.Errorf("cannot explain %q: want one of %s", kind, strings.Join(Kinds, ", "))
	}
	e := Explanation{What: kind, Unit: "messages", Groups: []Group{}}
	concerned := func(m *record.Message) bool { return string(m.Outcome) == kind }
	if kind == "duplicates" {
		e.Unit = "copies"
		concerned = func(m *record.Message) bool { return m.Copies > 1 }
	}
	trails, err := r.trails(concerned)
	if err != nil {
		return e, err
	}
	groups := map[[2]string]*Group{}
	count := func(m *record.Message, cause, detail string, n int) {
		key := [2]string{cause, detail}
		g := groups[key]
		if g == nil {
			g = &Group{Cause: cause, Detail: detail}
			groups[key] = g
		}
		g.Count += n
		g.Messages++
		if len(g.Examples) < examples {
			g.Examples = append(g.Examples, m.ID)
		}
		e.Total += n
	}
	for i := range r.data.messages {
		m := &r.data.messages[i]
		switch {
		case !concerned(m):
		case kind == "duplicates":
			copiesByCause(m, trails[m.ID], count)
		default:
			count(m, whyEnded(m), endDetail(trails[m.ID]), 1)
		}
	}
	for _, g := range groups {
		e.Groups = append(e.Groups, *g)
	}
	sort.Slice(e.Groups, func(i, j int) bool {
		a, b := e.Groups[i], e.Groups[j]
		if a.Count != b.Count {
			return a.Count > b.Count
		}
		return a.Cause+a.Detail < b.Cause+b.Detail
	})
	return e, nil
}

// trails reads the attempts of the messages concerned, in the order in which they began.
func (r *Report) trails(concerned func(*record.Message) bool) (map[string][]record.Attempt, error) {
	out := map[string][]record.Attempt{}
	for i := range r.data.messages {
		if m := &r.data.messages[i]; concerned(m) {
			out[m.ID] = nil
		}
	}
	if r.data.run.Dir == "" || len(out) == 0 {
		return out, nil
	}
	for a, err := range record.Attempts(r.data.run.Dir) {
		if err != nil {
			return nil, err
		}
		if _, ok := out[a.Message]; ok {
			out[a.Message] = append(out[a.Message], a.InScenarioTime(r.Info.Squeeze()))
		}
	}
	for _, as := range out {
		sort.SliceStable(as, func(i, j int) bool { return as[i].At < as[j].At })
	}
	return out, nil
}

// copiesByCause counts the copies of one message, each cause with what the attempts show of it.
func copiesByCause(m *record.Message, trail []record.Attempt, count func(*record.Message, string, string, int)) {
	type group struct{ cause, detail string }
	var order []group
	n := map[group]int{}
	add := func(g group, by int) {
		if n[g] == 0 {
			order = append(order, g)
		}
		n[g] += by
	}
	copies := origins(trail)
	next := 1 // of copies: what the provider made by itself nobody attempted
	for _, cause := range m.Causes {
		add(group{cause, copyDetail(record.CauseOf(cause), next, copies, trail)}, 1)
		if cause != record.Provider {
			next++
		}
	}
	if rest := max(0, m.Copies-1-len(m.Causes)); rest > 0 {
		add(group{record.Unknown, record.CauseOf(record.Unknown).Plain}, rest)
	}
	for _, g := range order {
		count(m, g.cause, g.detail, n[g])
	}
}

// origin is where an accepted copy came from: the numbers of the client's attempt, of the draft it made and of its send.
type origin struct {
	callback             string
	client, create, send int
}

// origins reads them off the accepted attempts, in their order.
func origins(trail []record.Attempt) []origin {
	var out []origin
	for _, a := range trail {
		if a.Hop != "api" || !a.Taken {
			continue
		}
		o := origin{callback: a.Draft, client: 1, create: 1, send: 1}
		head, tail, ok := strings.Cut(strings.TrimPrefix(a.Draft, a.Message), "-")
		if ok {
			o.client, _ = strconv.Atoi(strings.TrimPrefix(head, ".")) // 0 where drafts are idempotent: nobody asks which client's
			create, send, _ := strings.Cut(tail, ".")
			o.create, _ = strconv.Atoi(create)
			o.send, _ = strconv.Atoi(send)
		}
		out = append(out, o)
	}
	return out
}

// copyDetail says what happened at the hop that a cause is about. The answer that was lost is that of the earlier of two
// attempts: the one whose work an earlier copy is or, when the copies came out of order, the copy itself.
func copyDetail(c record.Cause, copy int, copies []origin, trail []record.Attempt) string {
	if c.Name == record.Unknown {
		return sentAgain(c, copy, trail)
	}
	if c.Hop == "" || copy >= len(copies) {
		if a, ok := unanswered(trail, c.Hop); ok {
			return c.Lost + ": " + whatFailed(a)
		}
		return c.Plain
	}
	mine := copies[copy]
	number := func(o origin) int {
		return map[string]int{"front_door": o.client, "create": o.create, "send": o.send}[c.Hop]
	}
	lost, draft := number(mine), mine
	for _, before := range copies[:copy] {
		same := c.Hop == "front_door" || before.client == mine.client && (c.Hop == "create" || before.create == mine.create)
		if n := number(before); same && n < number(mine) && (lost == number(mine) || n > lost) {
			lost, draft = n, before
		}
	}
	for _, a := range trail {
		if a.Hop != c.Hop || a.Number != lost || !attemptFailed(a) {
			continue
		}
		if c.Hop == "front_door" || a.Draft == "" || strings.HasPrefix(draft.callback, a.Draft) {
			return c.Lost + ": " + whatFailed(a)
		}
	}
	if c.Hop == "send" {
		for _, a := range trail {
			if a.Hop == "api" && a.Taken && a.Draft == draft.callback && attemptFailed(a) {
				return "accepted by the API, answer lost: " + whatFailed(a)
			}
		}
	}
	if a, ok := unanswered(trail, c.Hop); ok {
		return c.Lost + ": " + whatFailed(a)
	}
	return c.Plain
}

// sentAgain says of a copy whose cause nobody knows what its sender could know of the send before it.
func sentAgain(c record.Cause, copy int, trail []record.Attempt) string {
	var taken []record.Attempt
	for _, a := range trail {
		if a.Hop == "api" && a.Taken {
			taken = append(taken, a)
		}
	}
	if copy >= len(taken) {
		return c.Plain
	}
	switch before := taken[copy-1]; {
	case taken[copy].At < before.Done:
		return "sent again while the send before was still under way"
	case !attemptFailed(before):
		return "sent again after the send before had been answered as accepted"
	}
	return c.Plain
}

// unanswered finds the first attempt of a hop whose work was done although its caller saw it fail.
func unanswered(trail []record.Attempt, hop string) (record.Attempt, bool) {
	for _, a := range trail {
		if a.Hop == hop && attemptFailed(a) && a.Taken {
			return a, true
		}
	}
	return record.Attempt{}, false
}

func attemptFailed(a record.Attempt) bool { return a.Error != "" || a.Status == 0 || a.Status >= 400 }

// whatFailed names what went wrong with an attempt.
func whatFailed(a record.Attempt) string {
	s := a.Error
	switch {
	case s == "" && a.Status != 0:
		s = fmt.Sprintf("answered %d", a.Status)
	case s == "":
		s = "no answer"
	}
	if a.Fault != "" {
		s += " (fault " + a.Fault + ")"
	}
	return s
}

func whyEnded(m *record.Message) string {
	if m.Reason != "" {
		return m.Reason
	}
	if m.Sender != "" {
		return "the sender's books say " + m.Sender
	}
	return "no reason on record"
}

// endDetail says how far a message came and what stopped it last.
func endDetail(trail []record.Attempt) string {
	if len(trail) == 0 {
		return "no attempt on record"
	}
	last := trail[0]
	n := map[string]int{}
	for _, a := range trail {
		n[a.Hop]++
		if a.Done >= last.Done {
			last = a
		}
	}
	what := fmt.Sprintf("answered %d", last.Status)
	if attemptFailed(last) {
		what = whatFailed(last)
	}
	if last.Code != 0 {
		what += fmt.Sprintf(", code %d", last.Code)
	}
	return "last seen at the " + hopName(last.Hop) + ": " + what
}

var hopNames = map[string]string{"front_door": "front door", "create": "creation of the draft", "send": "sending of the draft", "api": "Cloud API", "media": "media"}

func hopName(hop string) string {
	if n := hopNames[hop]; n != "" {
		return n
	}
	return hop
}

// Text prints the explanation.
func (e Explanation) Text() string {
	if e.Total == 0 {
		return "no " + e.What + "\n"
	}
	t := table{Head: []string{e.Unit, "share", "cause", "what the attempts show", "for example"}}
	for _, g := range e.Groups {
		t.Rows = append(t.Rows, []string{grouped(int64(g.Count)), Share.Format(float64(g.Count) / float64(e.Total)), g.Cause, g.Detail, strings.Join(g.Examples[:min(2, len(g.Examples))], " ")})
	}
	head := fmt.Sprintf("%s: %s %s", e.What, grouped(int64(e.Total)), e.Unit)
	if e.What == "duplicates" {
		head += " beyond the first"
	}
	return head + "\n\n" + t.plainText("  ")
}

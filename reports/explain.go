package reports

import (
	"fmt"
	"slices"
	"sort"
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
var Kinds = []string{"duplicates", "expired", "lost", "failed", "shed", "pending", "unsent"}

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
	for _, cause := range Causes {
		if n := causeCount(m, cause); n > 0 {
			count(m, cause, copyDetail(cause, trail), n)
		}
	}
}

// copyDetail says what happened at the hop that a cause is about.
func copyDetail(cause string, trail []record.Attempt) string {
	switch cause {
	case "client_retry":
		if a, ok := unanswered(trail, "front_door"); ok {
			return "message taken, answer lost: " + whatFailed(a)
		}
		return "the client asked again"
	case "create_retry":
		if a, ok := unanswered(trail, "create"); ok {
			return "draft created, answer lost: " + whatFailed(a)
		}
		return "the draft was created again"
	case "send_retry":
		if a, ok := unanswered(trail, "send"); ok {
			return "message sent, answer lost: " + whatFailed(a)
		}
		if a, ok := unanswered(trail, "api"); ok {
			return "accepted by the API, answer lost: " + whatFailed(a)
		}
		return "the draft was sent again"
	case "redelivery":
		return "the queue handed the draft out again"
	}
	return "no attempt on record explains it"
}

// unanswered finds the first attempt of a hop whose work was done although its caller saw it fail; when no attempt is
// known to have been done, the first that failed.
func unanswered(trail []record.Attempt, hop string) (record.Attempt, bool) {
	var failed *record.Attempt
	for i, a := range trail {
		if a.Hop != hop || !attemptFailed(a) {
			continue
		}
		if a.Taken {
			return a, true
		}
		if failed == nil {
			failed = &trail[i]
		}
	}
	if failed == nil {
		return record.Attempt{}, false
	}
	return *failed, true
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

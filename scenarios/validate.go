package scenarios

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/printable"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
)

var (
	nameText = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	skewText = regexp.MustCompile(`^zipf\(([0-9.]+)\)$`)
)

// What a scenario may name.
var (
	messageTypes = []string{"text", "image", "video", "audio", "document", "sticker", "template"}
	classes      = []string{"otp", "reply", "transactional", "bulk"}
	purposes     = []string{Promise, Replay, Measure}
	arrivals     = []string{"even", "poisson", "trace"}
	services     = []string{"whatsapp", "drafts", "fake", "nats", "target"}
)

const (
	maxLength = 366 * 24 * time.Hour
	maxDrain  = 31 * 24 * time.Hour // at a reading of the gauges every 10 s

	firstYear, lastYear = 1700, 2200
)

// MaxMessages is how many messages one run may ask for: beyond it a scenario is a mistake.
const MaxMessages = 50_000_000

// validate checks what decoding cannot see.
func (in *inspector) validate() {
	s := &in.s
	if s.Schema != Schema {
		in.bad("schema", strconv.Quote(s.Schema)+" is not a format that is read here", "write "+Schema)
	}
	if !nameText.MatchString(s.Name) {
		in.bad("name", strconv.Quote(s.Name)+" is not a name", "use letters, digits, dots and dashes: it names files")
	}
	s.Title = printable.Line(s.Title)
	for i := range s.Thresholds {
		s.Thresholds[i].Says = printable.Line(s.Thresholds[i].Says)
	}
	for i := range s.Timeline {
		s.Timeline[i].Note = printable.Line(s.Timeline[i].Note)
	}
	in.judging()
	in.load()
	in.messages()
	in.client()
	in.target()
	switch {
	case s.Drain < 0:
		in.bad("drain", "is negative", "")
	case s.Drain > maxDrain:
		in.bad("drain", strict.Duration(s.Drain)+" is longer than the 31 days that a record is kept for", "what has not drained by then never will")
	}
	if y := s.Start.Year(); !s.Start.IsZero() && (y < firstYear || y > lastYear) {
		in.bad("start", fmt.Sprintf("the year %d is not between %d and %d", y, firstYear, lastYear), "clocks count nanoseconds and end there")
	}
	for i := range s.Timeline {
		in.step(i)
	}
	in.thresholds()
	for key := range s.Variants {
		if !nameText.MatchString(key) {
			in.bad("variants."+key, strconv.Quote(key)+" is not a name", "use letters, digits, dots and dashes")
		}
	}
}

// judging checks what the thresholds are, and how little of them there may be.
func (in *inspector) judging() {
	s := &in.s
	if s.Purpose != "" {
		in.oneOf("purpose", s.Purpose, purposes)
	}
	if s.Measures() && len(s.Thresholds) > 0 {
		in.bad("purpose", "measure judges nothing, but there are thresholds", "write promise or replay, or thresholds: []")
	}
	if o := s.Overlooks(); o < 0 || o > 1 {
		in.bad("overlook", "is not between 0% and 100%", "such as 1%")
	}
}

// oneOf tells that a word is none of those known.
func (in *inspector) oneOf(key, word string, known []string) {
	if slices.Contains(known, word) {
		return
	}
	hint := "write " + joinOr(known)
	if s := strict.Suggest(word, known); s != "" {
		hint = "did you mean " + s + "?"
	}
	in.bad(key, strconv.Quote(word)+" is not known here", hint)
}

func (in *inspector) load() {
	l := in.s.Load
	if l.Arrivals != "" {
		in.oneOf("load.arrivals", l.Arrivals, arrivals)
	}
	trace := l.Trace != ""
	switch {
	case trace && l.Arrivals != "" && l.Arrivals != "trace":
		in.bad("load.trace", "goes with arrivals: trace, not "+l.Arrivals, "")
	case l.Arrivals == "trace" && !trace:
		in.bad("load.arrivals", "needs a file", "add trace: messages.csv")
	case !trace && len(l.Phases) == 0:
		in.bad("load", "is empty", "give it phases, such as - {name: steady, for: 10m, rate: 60/min}, or a trace")
	}
	seen := map[string]int{}
	for i, p := range l.Phases {
		key := "load.phases[" + strconv.Itoa(i) + "]"
		if first, twice := seen[p.Name]; twice && p.Name != "" {
			in.bad(key+".name", fmt.Sprintf("%q is the name of phase %d, too", p.Name, first+1), "thresholds could not tell them apart")
		}
		seen[p.Name] = i
		in.phase(key, p, trace)
	}
	if d := l.Duration(); d > maxLength {
		in.bad("load.phases", "last "+strict.Duration(d)+" together", "a year is the most")
	} else if !trace && len(l.Phases) > 0 && len(in.errs) == 0 {
		in.amount(l.Curve().Total())
	}
}

// amount refuses a load of nothing, and one that no machine would replay.
func (in *inspector) amount(messages float64) {
	switch {
	case messages < 1:
		in.bad("load", "asks for no messages: every rate is 0, or too low for one message", "")
	case messages > MaxMessages:
		in.bad("load", fmt.Sprintf("asks for %.3g messages, and %d is the most: they would take about %.0f GB of memory and %.0f hours of a processor",
			messages, MaxMessages, messages*messageBytes/1e9, messages*messageTime.Hours()), "is a rate or a length a slip?")
	}
}

// What a message costs in virtual time, roughly: see make bench.
const (
	messageBytes = 1500
	messageTime  = 120 * time.Microsecond
)

func (in *inspector) phase(key string, p Phase, trace bool) {
	switch {
	case p.Name == "":
		in.bad(key, "has no name", "thresholds and charts name phases")
	case p.Name == drainPhase:
		in.bad(key+".name", strconv.Quote(p.Name)+" is the time after the load", "choose another name")
	case !nameText.MatchString(p.Name):
		in.bad(key+".name", strconv.Quote(p.Name)+" is not a name", "use letters, digits, dots and dashes")
	}
	switch {
	case p.For == 0 && in.tree.Lookup(key+".for") == nil:
		in.bad(key, "has no length", "add for: 10m")
	case p.For == 0:
		in.bad(key+".for", "a phase of zero length sends nothing", "give it a length such as 10m, or take it away")
	case p.For < 0:
		in.bad(key+".for", strict.Duration(p.For)+" is negative", "")
	}
	rate, from, to := given(p.Rate), given(p.From), given(p.To)
	switch {
	case trace && (rate || from || to):
		in.bad(key, "has a rate, but the trace says when messages come", "phases of a trace have name and for alone")
	case trace:
	case rate && (from || to):
		in.bad(key, "has a rate and also from or to", "write rate: 400/min, or from: 150/min with to: 1100/min")
	case from && !to:
		in.bad(key, "says from, but not to", "add to: 1100/min, or write rate for a constant one")
	case to && !from:
		in.bad(key, "says to, but not from", "add from: 150/min, or write rate for a constant one")
	case !rate && !from:
		in.bad(key, "has no rate", "add rate: 60/min, or from: 150/min with to: 1100/min")
	}
	for name, r := range map[string]quantity.Rate{"rate": p.Rate, "from": p.From, "to": p.To} {
		if r.PerSecond() > 1e6 {
			in.bad(key+"."+name, r.String()+" is more than a million a second", "")
		}
	}
}

// given reports whether a rate was written, even as 0.
func given(r quantity.Rate) bool { return r.Per != 0 }

func (in *inspector) messages() {
	m := in.s.Messages
	sum := 0.0
	for _, kind := range slices.Sorted(maps.Keys(m.Mix)) {
		in.oneOf("messages.mix."+kind, kind, messageTypes)
		sum += float64(m.Mix[kind])
	}
	if len(m.Mix) > 0 && math.Abs(sum-1) > 1e-6 {
		in.bad("messages.mix", "the shares make "+quantity.Share(sum).String()+", not 100%", "")
	}
	if m.Recipients < 1 || m.Recipients > 10_000_000 {
		in.bad("messages.recipients", fmt.Sprintf("%d is not between 1 and 10000000", m.Recipients), "")
	}
	if m.Size < 0 || m.Size > 16<<20 {
		in.bad("messages.size", fmt.Sprintf("%d is not between 0 and %d bytes", m.Size, 16<<20), "")
	}
	if m.Tenants < 0 {
		in.bad("messages.tenants", "is negative", "")
	}
	if m.Class != "" {
		in.oneOf("messages.class", m.Class, classes)
	}
	if m.Skew != "" {
		x := skewText.FindStringSubmatch(m.Skew)
		if x == nil {
			in.bad("messages.skew", strconv.Quote(m.Skew)+" is not a skew", "write zipf(1.1), or leave it out for recipients drawn alike")
		} else if f, err := strconv.ParseFloat(x[1], 64); err != nil || f <= 0 || f > 10 {
			in.bad("messages.skew", strconv.Quote(m.Skew)+" needs an exponent above 0 and up to 10", "such as zipf(1.1)")
		}
	}
}

func (in *inspector) client() {
	c := in.s.Client
	if c.Timeout <= 0 {
		in.bad("client.timeout", strict.Duration(c.Timeout)+" leaves no time to answer", "such as 10s")
	}
	if c.Retries < 0 || c.Retries > 1000 {
		in.bad("client.retries", fmt.Sprintf("%d is not between 0 and 1000", c.Retries), "")
	}
	if c.Backoff < 0 {
		in.bad("client.backoff", "is negative", "")
	}
}

func join(words []string) string { return strings.Join(words, ", ") }

func joinOr(words []string) string {
	if len(words) < 2 {
		return join(words)
	}
	return join(words[:len(words)-1]) + " or " + words[len(words)-1]
}

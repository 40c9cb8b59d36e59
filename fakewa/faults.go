package fakewa

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// faultKind is one kind of fault: how to make one, where it strikes unless told otherwise, and what it does.
type faultKind struct {
	make  func() fault
	where string
	says  string
}

// faultKinds lists every fault there is.
var faultKinds = map[string]faultKind{
	"latency":            {func() fault { return new(latencyFault) }, "messages", "answers take longer"},
	"error":              {func() fault { return new(errorFault) }, "messages", "requests are refused with a documented code, or accepted and failed later"},
	"reply-lost":         {func() fault { return new(replyLostFault) }, "messages", "the request is processed and the client never learns it"},
	"duplicate-accept":   {func() fault { return new(duplicateAcceptFault) }, "messages", "the request is processed twice, and answered once"},
	"refuse-connections": {func() fault { return new(refuseFault) }, "all", "connections are refused before a byte is written"},
	"reset":              {func() fault { return new(resetFault) }, "messages", "the connection breaks after the request was written, before it is processed"},
	"silence":            {func() fault { return new(silenceFault) }, "messages", "requests are read, and neither processed nor answered"},
	"slow-body":          {func() fault { return new(slowBodyFault) }, "messages", "the answer's body drips"},
	"truncate":           {func() fault { return new(truncateFault) }, "messages", "the connection breaks in the middle of the answer's body"},
	"not-json":           {func() fault { return new(notJSONFault) }, "messages", "the request is processed and answered with something else than JSON"},
	"throttle":           {func() fault { return new(throttleFault) }, "messages", "throughput or pair limits change"},
	"media-expiry":       {func() fault { return new(mediaExpiryFault) }, "all", "media and their URLs live shorter"},
	"webhook":            {func() fault { return new(webhookFault) }, "webhooks", "webhooks are delayed, lost, duplicated, reordered or batched"},
}

// FaultKinds returns the kinds of fault and what each does.
func FaultKinds() map[string]string {
	out := map[string]string{}
	for name, k := range faultKinds {
		out[name] = k.says
	}
	return out
}

// fault is what every kind has: a check of its own fields. What it does it says by implementing one or more of the
// interfaces below.
type fault interface{ check() error }

// termsFault changes limits or lifetimes for the requests in its scope; felt says, once a request is decided, whether that
// made a difference to it.
type termsFault interface {
	terms(h *hit)
	felt(h *hit) bool
}

// earlyFault may answer a request before it is looked at, by filling in the decision; true means it did.
type earlyFault interface{ early(h *hit) bool }

// lateFault changes how a decided request is answered; true means it did.
type lateFault interface{ late(h *hit) bool }

// hookFault changes how an update reaches the callback.
type hookFault interface{ hook(p *posting) }

// CheckFault reports what is wrong with a fault, written in YAML as in a scenario, without applying it.
func CheckFault(data []byte) error {
	_, err := parseFault("fault", data)
	return err
}

// parseFault reads {kind: …, scope…, fields of the kind…} strictly.
func parseFault(file string, data []byte) (*armed, error) {
	n, err := strict.Parse(file, data)
	if err != nil {
		return nil, err
	}
	name := n.Field("kind")
	if name == nil || name.Text == "" {
		return nil, strict.Errors{n.Error("kind", "is missing", "use one of "+kindNames())}
	}
	kind, ok := faultKinds[name.Text]
	if !ok {
		hint := "use one of " + kindNames()
		if s := strict.Suggest(name.Text, slices.Sorted(maps.Keys(faultKinds))); s != "" {
			hint = "did you mean " + s + "?"
		}
		return nil, strict.Errors{name.Error("kind", "unknown kind "+strconv.Quote(name.Text), hint)}
	}
	a := &armed{fault: kind.make(), raw: string(data)}
	if err := n.Decode(a.fault); err != nil {
		return nil, err
	}
	a.scope = a.fault.(scoped).scoped()
	or(&a.scope.Where, kind.where)
	if err := errors.Join(a.scope.check(), a.fault.check()); err != nil {
		return nil, strict.Errors{n.Error(name.Text, err.Error(), "")}
	}
	return a, nil
}

func kindNames() string { return strings.Join(slices.Sorted(maps.Keys(faultKinds)), ", ") }

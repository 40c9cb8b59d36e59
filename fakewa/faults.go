package fakewa

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
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
	"refuse-connections": {func() fault { return new(refuseFault) }, "all", "connections are closed before anything is read"},
	"reset":              {func() fault { return new(resetFault) }, "messages", "the connection breaks before the request is processed"},
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

// termsFault changes limits or lifetimes for the requests in its scope.
type termsFault interface{ terms(h *hit) }

// earlyFault may answer a request before it is looked at, by filling in the decision; true means it did.
type earlyFault interface{ early(h *hit) bool }

// lateFault changes how a decided request is answered.
type lateFault interface{ late(h *hit) }

// hookFault changes how an update reaches the callback.
type hookFault interface{ hook(p *posting) }

// CheckFault reports what is wrong with a fault, written in YAML as in a scenario, without applying it.
func CheckFault(data []byte) error {
	_, err := parseFault("fault", data)
	return err
}

// parseFault reads {kind: …, scope…, fields of the kind…} strictly.
func parseFault(file string, data []byte) (*armed, error) {
	var head struct {
		Kind string `yaml:"kind"`
	}
	if err := yaml.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, true))
	}
	kind, ok := faultKinds[head.Kind]
	if !ok {
		return nil, fmt.Errorf("%s: unknown kind %q: use one of %s", file, head.Kind, strings.Join(slices.Sorted(maps.Keys(faultKinds)), ", "))
	}
	a := &armed{fault: kind.make(), raw: string(data)}
	if err := decode(file, data, a.fault); err != nil {
		return nil, err
	}
	a.scope = a.fault.(scoped).scoped()
	or(&a.scope.Where, kind.where)
	if err := a.scope.check(); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", file, head.Kind, err)
	}
	if err := a.fault.check(); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", file, head.Kind, err)
	}
	return a, nil
}

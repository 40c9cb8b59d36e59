package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aftershock-dev/aftershock/fakewa"
	"github.com/aftershock-dev/aftershock/harness"
	"github.com/aftershock-dev/aftershock/harness/internal/witness"
	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut"
	"github.com/aftershock-dev/aftershock/sut/fleet"
)

// The types below are harness's handles on a fake and a sender in this process.

type faults struct{ fake *fakewa.Server }

func (f faults) Apply(_ context.Context, id string, x scenarios.Fault) error {
	return f.fake.Apply(id, x.Raw)
}
func (f faults) Clear(_ context.Context, id string) error { return f.fake.Clear(id) }

type ledger struct{ fake *fakewa.Server }

func (l ledger) After(_ context.Context, seq int64, limit int) ([]harness.Entry, error) {
	from := l.fake.After(seq, limit)
	out := make([]harness.Entry, len(from))
	for i, e := range from {
		out[i] = harness.Entry{
			Seq: e.Seq, Status: e.Status, Message: e.Message, Callback: e.Callback, WAMID: e.WAMID, To: e.To, Type: e.Type, Text: e.Text, At: e.At, Done: e.Done,
			Accepted: e.Accepted, Provider: e.Provider, Answered: e.Answered, Code: e.Code, Media: e.Media, Slack: e.Slack, Expired: e.Expired,
			Fault: e.Fault,
		}
	}
	return out, nil
}

// Late implements harness.Punctual.
func (l ledger) Late(context.Context) (time.Duration, error) {
	return time.Duration(l.fake.Summary().Late.MeanMs * float64(time.Millisecond)), nil
}

// Witnessed implements harness.Witness.
func (l ledger) Witnessed(context.Context) (harness.Witnessed, error) {
	return witness.Of(l.fake.Summary()), nil
}

// settings changes sender.… and whatsapp.… keys while the run goes on.
type settings struct {
	sender *process
	fake   *fakewa.Server
}

func (s settings) Set(_ context.Context, values map[string]any) error {
	before := effective(s.sender.now().Effective(), s.fake.Effective())
	tree, err := strict.Nest(values)
	if err != nil {
		return err
	}
	if err := s.apply(tree); err != nil {
		return err
	}
	if scenarios.Unchanged(before, effective(s.sender.now().Effective(), s.fake.Effective())) {
		return harness.ErrInForce
	}
	return nil
}

// apply changes all of it or none: the sender's part is checked before the fake's is changed, which checks itself.
func (s settings) apply(tree *strict.Node) error {
	for _, f := range tree.Fields {
		if f.Key != "sender" && f.Key != "whatsapp" {
			return fmt.Errorf("set %s: only sender.… and whatsapp.… can be changed while a run goes on", f.Key)
		}
	}
	sender, fake := tree.Field("sender"), tree.Field("whatsapp")
	if sender != nil {
		if err := s.sender.now().Check(sender.YAML()); err != nil {
			return fmt.Errorf("set sender: %w", err)
		}
	}
	if fake != nil {
		if err := s.fake.Set(fake.YAML()); err != nil {
			return fmt.Errorf("set whatsapp: %w", err)
		}
	}
	if sender != nil {
		if err := s.sender.set(sender.YAML()); err != nil {
			return fmt.Errorf("set sender: %w", err)
		}
	}
	return nil
}

type replicas struct{ sender *process }

func (r replicas) Act(_ context.Context, a scenarios.Action) error {
	if r.sender.down() {
		return fmt.Errorf("%w: the sender's process is dead", harness.ErrIdle)
	}
	before := r.sender.now().Effective()
	err := r.sender.now().Act(a.Verb, a.Target, a.Count)
	switch {
	case errors.Is(err, fleet.ErrNone):
		return fmt.Errorf("%w: %w", harness.ErrIdle, err)
	case err == nil && a.Verb == "scale" && maps.Equal(before, r.sender.now().Effective()):
		return fmt.Errorf("%w: %d is the number there is", harness.ErrIdle, a.Count)
	}
	return err
}

type books struct{ sender *process }

func (b books) State(_ context.Context, message string) (state, reason string, final, known bool, err error) {
	state, reason, final, known = b.sender.now().State(message)
	return state, reason, final, known, nil
}

// effective joins the two halves of the settings in force.
func effective(sender, fake map[string]string) map[string]string {
	out := make(map[string]string, len(sender)+len(fake))
	for k, v := range sender {
		out["sender."+k] = v
	}
	for k, v := range fake {
		out["whatsapp."+k] = v
	}
	return out
}

// Blocks are the checks of those who own parts of a scenario file.
func Blocks() scenarios.Blocks {
	return scenarios.Blocks{
		Sender:   func(file string, yaml []byte) error { _, err := sut.ParseConfig(file, yaml); return err },
		WhatsApp: func(file string, yaml []byte) error { _, err := fakewa.ParseConfig(file, yaml); return err },
		Fault:    fakewa.CheckFault,
		Settings: settingsOf, Number: phone,
	}
}

// settingsOf are the settings in force with two blocks of a scenario; nil when one of them is wrong.
func settingsOf(sender, whatsapp []byte) map[string]string {
	fakeCfg, senderCfg, err := configs(&scenarios.Scenario{Sender: sender, WhatsApp: whatsapp})
	if err != nil {
		return nil
	}
	return effective(senderCfg.Effective(), strict.Flatten(fakeCfg))
}

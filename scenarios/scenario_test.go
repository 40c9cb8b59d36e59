package scenarios_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
)

func TestCatalog(t *testing.T) {
	list := scenarios.List()
	if len(list) < 4 {
		t.Fatalf("%d entries", len(list))
	}
	for _, i := range list {
		s, err := scenarios.Open(i.Name, scenarios.Options{})
		if err != nil {
			t.Errorf("%s: %v", i.Name, err)
			continue
		}
		if s.Name != i.Name || i.Title == "" || i.About == "" || strings.Contains(i.About, "\n") || i.Length <= 0 || i.Messages <= 0 || len(s.Thresholds) == 0 {
			t.Errorf("%+v", i)
		}
		for _, th := range s.Thresholds {
			if th.Says == "" {
				t.Errorf("%s: threshold %s does not say what it means", i.Name, th.ID)
			}
		}
		for key := range s.Assume {
			if strings.TrimSpace(s.Assume[key]) == "" {
				t.Errorf("%s: %s is assumed without a reason", i.Name, key)
			}
		}
	}
}

// What YAML prints reads back as the same scenario, with the same identity.
func TestYAML(t *testing.T) {
	for _, i := range scenarios.List() {
		for _, variants := range append([][]string{nil, i.Variants}, single(i.Variants)...) {
			seed := int64(7)
			s, err := scenarios.Open(i.Name, scenarios.Options{Variants: variants, Preset: "hardened", Seed: &seed})
			if err != nil {
				t.Fatalf("%s %v: %v", i.Name, variants, err)
			}
			again, err := scenarios.Read(s.File, s.YAML(), scenarios.Options{})
			if err != nil {
				t.Fatalf("%s: %v\n%s", i.Name, err, s.YAML())
			}
			if string(again.YAML()) != string(s.YAML()) || again.SHA256() != s.SHA256() {
				t.Errorf("%s %v: printed\n%s\nagain\n%s", i.Name, variants, s.YAML(), again.YAML())
			}
			if s.Seed != 7 || s.Preset() != "hardened" {
				t.Errorf("seed %d, preset %q", s.Seed, s.Preset())
			}
		}
	}
}

func single(words []string) (out [][]string) {
	for _, w := range words {
		out = append(out, []string{w})
	}
	return out
}

// The identity follows from what the scenario says, not from how it is written.
func TestIdentity(t *testing.T) {
	read := func(text string) *scenarios.Scenario {
		s, err := scenarios.Read("x.yaml", []byte(text), scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a := read("name: x\nload: {phases: [{name: a, for: 90m, rate: 60/min}]}\nsender: {drafts: {x: 1, y: 2}, preset: p}\n")
	b := read("# a comment\nsender:\n  preset: \"p\"\n  drafts:\n    y: 2\n    x: 1\nload:\n  phases:\n  - for: 1h30m\n    rate: 60/m\n    name: a\nname: x\nseed: 1\n")
	c := read("name: x\nload: {phases: [{name: a, for: 90m, rate: 61/min}]}\nsender: {drafts: {x: 1, y: 2}, preset: p}\n")
	if a.SHA256() != b.SHA256() {
		t.Errorf("\n%s\n%s", a.YAML(), b.YAML())
	}
	if a.SHA256() == c.SHA256() {
		t.Error("another load, and the same identity")
	}
}

func TestDefaults(t *testing.T) {
	s, err := scenarios.Read("x.yaml", []byte("load: {phases: [{name: a, for: 1m, rate: 1/s}]}"), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "x" || s.Seed != 1 || s.Client.Timeout != 10*time.Second || s.Messages.Recipients != 20000 || s.Messages.Size != 2048 || s.Drain != 10*time.Minute {
		t.Errorf("%+v", s)
	}
}

func TestStepBlocks(t *testing.T) {
	s := scenarios.Step{Set: map[string]any{"sender.drafts.rate_limit": "300/min", "sender.whatsapp.replicas.max": 12, "whatsapp.media.upload_life": "1h"}}
	sender, fake, err := s.Blocks()
	if err != nil || string(sender) != "drafts:\n  rate_limit: 300/min\nwhatsapp:\n  replicas:\n    max: 12\n" || string(fake) != "media:\n  upload_life: 1h\n" {
		t.Errorf("%s\n%s\n%v", sender, fake, err)
	}
}

func TestSqueeze(t *testing.T) {
	s, err := scenarios.Open("june6", scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := string(s.YAML())
	q := s.Squeeze(60)
	if string(s.YAML()) != before {
		t.Error("the scenario itself has changed")
	}
	if q.Duration() != 8*time.Minute || q.Load.Phases[0].Rate != (quantity.Rate{Count: 9000, Per: time.Minute}) || q.Client.Timeout != 10*time.Second/60 {
		t.Errorf("%+v", q)
	}
	if total := s.Load.Curve().Total(); int(q.Load.Curve().Total()) != int(total) {
		t.Errorf("%v messages, %v squeezed", total, q.Load.Curve().Total())
	}
	if !reflect.DeepEqual(q.Thresholds, s.Thresholds) {
		t.Error("thresholds are about scenario time")
	}
	if !strings.Contains(string(q.Sender), "rate_limit: 24000/min") || !strings.Contains(string(q.WhatsApp), "upload_life: 1m") {
		t.Errorf("%s%s", q.Sender, q.WhatsApp)
	}
	last := q.Timeline[len(q.Timeline)-1]
	if last.At != 416*time.Second || last.Set["sender.drafts.rate_limit"] != "18000/min" {
		t.Errorf("%+v", last)
	}
}

func FuzzRead(f *testing.F) {
	seeds := 0
	for _, i := range scenarios.List() {
		s, err := scenarios.Open(i.Name, scenarios.Options{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(s.YAML()))
		seeds++
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Add("load: {phases: [{name: a, for: 1m, rate: 1/s}]}\ntimeline: [{at: 1s, fault: {kind: error, code: 131000}}, {at: 1s, scale: {whatsapp: 2}}]\n")
	f.Add("extends: smoke\nvariants: {v: {seed: 3}}\ntarget: {url: /x, body: '{{.To}}'}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "/") && strings.Contains(text, "extends") {
			return // not into the file system
		}
		s, err := scenarios.Read("x.yaml", []byte(text), scenarios.Options{})
		if err != nil {
			return
		}
		printed := s.YAML()
		again, err := scenarios.Read("y.yaml", printed, scenarios.Options{})
		if err != nil {
			t.Fatalf("%q\nprinted as\n%s\n%v", text, printed, err)
		}
		if second := again.YAML(); string(second) != string(printed) {
			t.Fatalf("%q\nprinted as\n%s\nand then\n%s", text, printed, second)
		}
	})
}

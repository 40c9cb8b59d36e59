package fakewa

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/internal/strict"
)

// What is written out reads as the same, zeros included: another process gets its settings this way.
func TestConfigRoundTrip(t *testing.T) {
	for name, cfg := range map[string]Config{
		"defaults": Defaults(),
		"quiet":    Config{}.filled(),
		"full": Config{
			Tokens:    []Token{{Token: "EAAold", Life: time.Hour, Numbers: []string{"1"}}, {Token: "EAArevoked", Revoked: true}},
			Numbers:   []Number{{ID: "1", Display: "15550001111", WABA: "2"}},
			Templates: []Template{{Name: "a", Body: "{{1}}", Buttons: 2}},
			Webhook:   Webhook{Statuses: []string{"delivered"}},
			Limits:    Limits{Pair: Pair{Every: time.Second, Strict: true}, Tier: 250, Window: true},
		}.filled(),
	} {
		n, err := strict.Encode(cfg)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseConfig(name, n.YAML())
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, n.YAML())
		}
		if got, want := strict.Flatten(again), strict.Flatten(cfg); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestConfigMistakes(t *testing.T) {
	for yaml, want := range map[string]string{
		"latenci: 2s":                               "f.yaml:1: latenci: unknown key; did you mean latency?",
		"media:\n  upload_life: -3h":                "f.yaml:2: media.upload_life: -3h0m0s is negative",
		"media.upload_life: 9000h":                  "longer than a year",
		"limits: {status: 200}":                     "limits.status: 200 is none of [400 429]",
		"limits: {throughput: fast}":                "is not a rate",
		"webhook: {batch: 1001}":                    "webhook.batch: 1001 is not between 0 and 1000",
		"webhook: {statuses: [sent, seen]}":         `"seen" is not known here`,
		"media: {keep: lots}":                       "is not an amount of memory",
		"numbers: [{id: x}]":                        `numbers[0].id: "x" is not digits`,
		"numbers: [{id: '1'}, {id: '1'}]":           "given twice",
		"tokens: [{life: 1h}]":                      "is missing",
		"templates: [{language: de}]":               "templates: is missing",
		"templates: [{name: a, status: GONE}]":      "templates[0].status",
		"answers: {missing_token: 7}":               "answers.missing_token: 7 is none of",
		"latency_load: {capacity: 5/s, full: 99}":   "99 is not a documented code",
		"ledger: {identity: guess}":                 "ledger.identity",
		"[1, 2]":                                    "has to be a block of keys",
		"latency: 'lognormal(p50=2s, p99=1s)'":      "p50",
		"media: {upload_life: 1h}\nmedia.keep: 1TB": "media.keep",
	} {
		_, err := ParseConfig("f.yaml", []byte(yaml))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", yaml, err, want)
		}
		if _, ok := errors.AsType[strict.Errors](err); err != nil && !ok {
			t.Errorf("%q: %T tells no line", yaml, err)
		}
	}
}

func TestSetIsAllOrNone(t *testing.T) {
	s, err := NewServer(Defaults(), Wiring{})
	if err != nil {
		t.Fatal(err)
	}
	before := s.Effective()
	if err := s.Set([]byte("{media.upload_life: 1h, limits.status: 99}")); err == nil {
		t.Fatal("an impossible status was taken")
	}
	if got := s.Effective(); !reflect.DeepEqual(got, before) {
		t.Errorf("settings changed: %v", got)
	}
	if err := s.Set([]byte(`{"media":{"upload_life":"1h"},"limits.throughput":"0/s","tokens":[{"token":"EAAsecrettoken"},{"token":"secret"}]}`)); err != nil {
		t.Fatal(err)
	}
	got := s.Effective()
	if got["media.upload_life"] != "1h" || got["limits.throughput"] != "0/s" || got["media.url_life"] != "5m" {
		t.Errorf("got %v", got)
	}
	for _, key := range []string{"tokens[0].token", "tokens[1].token"} {
		if strings.Contains(got[key], "secret") || !strings.HasSuffix(got[key], "…") {
			t.Errorf("a token is told: %v", got[key])
		}
	}
}

package scenarios_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// schema is the part of JSON Schema that ours uses.
type schema struct {
	Ref                  string             `json:"$ref"`
	Defs                 map[string]*schema `json:"$defs"`
	Type                 string             `json:"type"`
	Properties           map[string]*schema `json:"properties"`
	AdditionalProperties json.RawMessage    `json:"additionalProperties"`
	Items                *schema            `json:"items"`
	Required             []string           `json:"required"`
	Enum                 []any              `json:"enum"`
	Pattern              string             `json:"pattern"`
	Description          string             `json:"description"`
	AnyOf                []*schema          `json:"anyOf"`
}

// check reports where a tree breaks the schema.
func (s *schema) check(t *testing.T, root *schema, n *strict.Node, key string) {
	if s.Ref != "" {
		name := strings.TrimPrefix(s.Ref, "#/$defs/")
		if root.Defs[name] == nil {
			t.Fatalf("%s: no definition %s", key, name)
		}
		root.Defs[name].check(t, root, n, key)
		return
	}
	switch n.Kind {
	case strict.Map:
		if s.Type != "object" && s.Type != "" {
			t.Errorf("%s is a block, the schema wants %q", key, s.Type)
		}
		for _, r := range s.Required {
			if n.Field(r) == nil {
				t.Errorf("%s lacks %s", key, r)
			}
		}
		for _, f := range n.Fields {
			p := s.Properties[f.Key]
			if p == nil && string(s.AdditionalProperties) != "false" {
				p = &schema{}
				if len(s.AdditionalProperties) > 0 && s.AdditionalProperties[0] == '{' {
					if err := json.Unmarshal(s.AdditionalProperties, p); err != nil {
						t.Fatal(err)
					}
				}
			}
			if p == nil {
				t.Errorf("%s.%s is not in the schema", key, f.Key)
				continue
			}
			p.check(t, root, f.Value, key+"."+f.Key)
		}
	case strict.List:
		if s.Items == nil && s.Type == "" {
			return // anything
		}
		if s.Items == nil {
			t.Errorf("%s is a list, the schema wants %q", key, s.Type)
			return
		}
		for _, i := range n.Items {
			s.Items.check(t, root, i, key+"[]")
		}
	case strict.Scalar:
		if s.Type == "object" || s.Type == "array" {
			t.Errorf("%s is one value, the schema wants %q", key, s.Type)
		}
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(n.Text) {
			t.Errorf("%s: %q does not match %s", key, n.Text, s.Pattern)
		}
		if len(s.Enum) > 0 {
			for _, e := range s.Enum {
				if e == n.Text {
					return
				}
			}
			t.Errorf("%s: %q is none of %v", key, n.Text, s.Enum)
		}
	}
}

// Every scenario of the catalog keeps to the schema.
func TestSchema(t *testing.T) {
	b, err := scenarios.JSONSchema(scenarios.Owned{Sender: senderSettings{}, Faults: []string{"latency", "error", "throttle", "reply-lost", "webhook", "media-expiry"}, Metrics: nil})
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(b, &root); err != nil {
		t.Fatal(err)
	}
	for _, i := range scenarios.List() {
		s, err := scenarios.Open(i.Name, scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		n, err := strict.Parse(i.Name, s.YAML())
		if err != nil {
			t.Fatal(err)
		}
		if n.Field("sender") != nil { // the real settings are not those of this test
			if err := n.Set("sender", &strict.Node{}); err != nil {
				t.Fatal(err)
			}
		}
		root.check(t, &root, n, i.Name)
	}
	for key, want := range map[string]string{"drain": "how long to wait after the load", "extends": "builds on"} {
		if d := root.Properties[key].Description; !strings.Contains(d, want) {
			t.Errorf("%s: %q", key, d)
		}
	}
	if s := root.Properties["sender"]; s.Properties["drafts"] == nil || root.Defs["scenarios.Phase"].Properties["rate"].Pattern == "" {
		t.Errorf("%s", b)
	}
}

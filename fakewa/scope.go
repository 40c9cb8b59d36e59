package fakewa

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/quantity"
)

// Scope narrows a fault: to endpoints, a business number, a recipient, a type of message, a share of the requests,
// and a time. Every kind of fault has it.
type Scope struct {
	Kind   string          `yaml:"kind"`
	Where  string          `yaml:"where,omitempty"`  // endpoints, joined by commas; media and all stand for several
	Number string          `yaml:"number,omitempty"` // business number id
	To     string          `yaml:"to,omitempty"`     // recipient, digits; a trailing * matches any ending
	Type   string          `yaml:"type,omitempty"`   // message type
	Share  *quantity.Share `yaml:"share,omitempty"`  // of the requests in scope, drawn for each attempt of a message
	Every  int             `yaml:"every,omitempty"`  // only every Nth request in scope
	Until  int             `yaml:"until,omitempty"`  // only the first N requests in scope
	First  int             `yaml:"first,omitempty"`  // only the first N attempts of each message
	Burst  *Burst          `yaml:"burst,omitempty"`  // only during bursts
	For    time.Duration   `yaml:"for,omitempty"`    // how long the fault lasts; 0 means until it is cleared
}

// Burst is a stretch of For at the start of every Every.
type Burst struct {
	For   time.Duration `yaml:"for"`
	Every time.Duration `yaml:"every"`
}

// scoped is implemented by every fault that embeds Scope.
type scoped interface{ scoped() *Scope }

func (s *Scope) scoped() *Scope { return s }

// places lists what where: may say.
var places = map[string][]Endpoint{
	"messages": {Messages}, "upload": {Upload}, "metadata": {Metadata}, "download": {Download}, "delete": {Delete},
	"media":           {Upload, Metadata, Download, Delete},
	"number":          {NumberInfo, NumberSet},
	"phone_numbers":   {PhoneNumbers},
	"templates":       {TemplateList},
	"subscribed_apps": {Subscriptions},
	"message_history": {History},
	"management":      {NumberInfo, NumberSet, PhoneNumbers, TemplateList, Subscriptions, History},
	"webhooks":        {},
	"all":             nil,
}

func (s *Scope) check() error {
	for place := range strings.SplitSeq(s.Where, ",") {
		if _, ok := places[strings.TrimSpace(place)]; !ok {
			return fmt.Errorf("where: %q is none of %s", strings.TrimSpace(place), strings.Join(slices.Sorted(maps.Keys(places)), ", "))
		}
	}
	if r := s.reach(); s.To != "" && !r.all && !r.webhooks && !slices.Contains(r.ends, Messages) {
		return fmt.Errorf("to: only sends and webhooks have a recipient, %s has none", s.Where)
	}
	if _, ok := messageTypes[s.Type]; !ok && s.Type != "" {
		return fmt.Errorf("type: %q is none of %s", s.Type, strings.Join(slices.Sorted(maps.Keys(messageTypes)), ", "))
	}
	if s.Every < 0 || s.Until < 0 || s.First < 0 || s.For < 0 {
		return errors.New("every, until, first and for cannot be negative")
	}
	if b := s.Burst; b != nil && (b.For <= 0 || b.Every < b.For) {
		return fmt.Errorf("burst: needs 0 < for <= every, got for=%v every=%v", b.For, b.Every)
	}
	return nil
}

// reach is a scope made ready for matching.
type reach struct {
	all      bool
	ends     []Endpoint
	webhooks bool
	to       string
	prefix   bool
}

func (s *Scope) reach() reach {
	r := reach{to: strings.TrimPrefix(s.To, "+")}
	r.to, r.prefix = strings.CutSuffix(r.to, "*")
	for place := range strings.SplitSeq(s.Where, ",") {
		place = strings.TrimSpace(place)
		r.all = r.all || place == "all"
		r.webhooks = r.webhooks || place == "webhooks" || place == "all"
		r.ends = append(r.ends, places[place]...)
	}
	return r
}

func (r *reach) recipient(to string) bool {
	return r.to == "" && !r.prefix || to == r.to || r.prefix && strings.HasPrefix(to, r.to)
}

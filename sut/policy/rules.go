package policy

import "time"

// ClassRule is what a class of messages is promised.
type ClassRule struct {
	Lane     string        `yaml:"lane"`       // priority lane of the queue
	Weight   int           `yaml:"weight"`     // share of the lane's turns
	Priority int           `yaml:"priority"`   // 0 is shed last, 3 first
	ValidFor time.Duration `yaml:"valid_for"`  // validity when the client names none; 0 is for ever
	Hold     time.Duration `yaml:"hold"`       // how long an unknown outcome waits for a status; 0 is not at all
	Then     string        `yaml:"on_unknown"` // resend | stay | drop, after the hold
	Resends  int           `yaml:"resends"`    // how often an unknown outcome may be sent again
}

// HoldRule is the class's part of the send decision.
func (c ClassRule) HoldRule() Hold { return Hold{For: c.Hold, Then: c.Then, Resends: c.Resends} }

// Classes are the rules of the four classes.
type Classes struct {
	Default       string    `yaml:"default"` // class of a message that names none
	OTP           ClassRule `yaml:"otp"`
	Reply         ClassRule `yaml:"reply"`
	Transactional ClassRule `yaml:"transactional"`
	Bulk          ClassRule `yaml:"bulk"`
}

// ClassNames lists the classes in order of importance.
func ClassNames() []string { return []string{"otp", "reply", "transactional", "bulk"} }

// Named returns a class's rule; the empty name is the default class.
func (c *Classes) Named(name string) (ClassRule, bool) {
	if name == "" {
		name = c.Default
	}
	switch name {
	case "otp":
		return c.OTP, true
	case "reply":
		return c.Reply, true
	case "transactional":
		return c.Transactional, true
	case "bulk":
		return c.Bulk, true
	}
	return ClassRule{}, false
}

// Lanes returns the lanes in use, each once, with its weight, in order of importance.
func (c *Classes) Lanes() []Lane {
	var out []Lane
next:
	for _, name := range ClassNames() {
		r, _ := c.Named(name)
		for i := range out {
			if out[i].Name == r.Lane {
				out[i].Weight = max(out[i].Weight, r.Weight)
				continue next
			}
		}
		out = append(out, Lane{r.Lane, max(r.Weight, 1)})
	}
	return out
}

// Lane is a priority lane and its share of the turns.
type Lane struct {
	Name   string
	Weight int
}

package part

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// The kinds of parts.
const (
	Fake     = "fake"
	Drafts   = "drafts"
	WhatsApp = "whatsapp"
	Gateway  = "gateway"
	NATS     = "nats"
	Link     = "link" // not a part of the system: it changes the network of one
)

// The doors that parts have. Every part but NATS has Control, for the harness alone.
const (
	HTTP    = "http"
	Control = "control"
	Media   = "media"  // of the gateway: the place where the business keeps its media
	Client  = "client" // of NATS
	Cluster = "cluster"
)

// Doors lists the doors of a kind, the one that tells readiness first.
func Doors(kind string) []string {
	switch kind {
	case Gateway:
		return []string{HTTP, Control, Media}
	case NATS:
		return []string{Client, Cluster}
	case Link:
		return nil
	}
	return []string{HTTP, Control}
}

// Ready is the path on the first door of a kind that answers when the part is ready.
func Ready(kind string) string {
	if kind == NATS {
		return ""
	}
	return "/readyz"
}

// Spec is what a part is told when it starts.
type Spec struct {
	Kind string `json:"kind"`
	Name string `json:"name"` // whatsapp/1
	Seed int64  `json:"seed,omitempty"`
	Key  string `json:"key,omitempty"` // opens the control door

	Config string `json:"config,omitempty"` // the fake's or the sender's settings, time squeezed, as YAML

	WhatsApp   string   `json:"whatsapp,omitempty"` // where the parts reach each other, without a trailing slash
	Drafts     string   `json:"drafts,omitempty"`
	API        string   `json:"api,omitempty"`
	Webhook    string   `json:"webhook,omitempty"`
	MediaHosts []string `json:"media_hosts,omitempty"`

	Queue    string `json:"queue,omitempty"` // memory | jetstream
	URL      string `json:"url,omitempty"`   // of NATS
	Prefix   string `json:"prefix,omitempty"`
	Replicas int    `json:"replicas,omitempty"` // of streams

	Delay string `json:"delay,omitempty"` // link: of all that leaves, such as 200ms; 0s ends it

	Routes []string `json:"routes,omitempty"` // NATS: the cluster addresses of all nodes

	Dir    string            `json:"-"` // for what the part stores, from the command line
	Listen map[string]string `json:"-"` // door → address, likewise
}

// The secrets that fake and sender share; they protect nothing.
const (
	Phone       = "106540352242922"
	Token       = "EAAaftershock"
	AppSecret   = "aftershock-app-secret"
	VerifyToken = "aftershock-verify"
)

// Args makes a part's arguments: where its spec is, where it stores what it must, and where it listens.
func Args(file, dir string, listen map[string]string) []string {
	out := []string{"part", file, "dir=" + dir}
	doors := make([]string, 0, len(listen))
	for d := range listen {
		doors = append(doors, d)
	}
	slices.Sort(doors)
	for _, d := range doors {
		out = append(out, d+"="+listen[d])
	}
	return out
}

// Load reads what Args says, after the word part.
func Load(args []string) (Spec, error) {
	if len(args) == 0 {
		return Spec{}, errors.New("a part needs its spec")
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return Spec{}, fmt.Errorf("read the part's spec: %w", err)
	}
	var s Spec
	if err := json.Unmarshal(data, &s); err != nil {
		return Spec{}, fmt.Errorf("read the part's spec: %s: %w", args[0], err)
	}
	s.Listen = map[string]string{}
	for _, a := range args[1:] {
		door, addr, ok := strings.Cut(a, "=")
		if door == "dir" {
			s.Dir = addr
			if err := os.MkdirAll(addr, 0o755); err != nil {
				return Spec{}, fmt.Errorf("make the part's folder: %w", err)
			}
			continue
		}
		if !ok || !slices.Contains(Doors(s.Kind), door) {
			return Spec{}, fmt.Errorf("%q is no door of %s; write DOOR=HOST:PORT", a, s.Kind)
		}
		s.Listen[door] = addr
	}
	return s, nil
}

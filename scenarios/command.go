package scenarios

import (
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Program tells whether the target is a program that a run starts on this machine.
func (t *Target) Program() bool { return t != nil && t.Image == "" && len(t.Command) > 0 }

// AsksForFake tells whether the target's program is told where the fake is.
func (t *Target) AsksForFake() bool {
	for _, text := range append(slices.Collect(maps.Values(t.Environment)), t.Command...) {
		if strings.Contains(text, ".FakeWA") {
			return true
		}
	}
	return false
}

// Listens is the port that every copy of the target's program has to itself, because its port or its URL says so; 0 is a
// free one for each.
func (t *Target) Listens() int {
	if t.Port > 0 || pathAlone(t.URL) {
		return t.Port
	}
	u, err := url.Parse(t.URL)
	if err != nil {
		return 0
	}
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	return map[string]int{"http": 80, "https": 443}[u.Scheme]
}

// WorksIn is the folder that the target's program works in.
func (s *Scenario) WorksIn() string {
	if filepath.IsAbs(s.Target.Folder) {
		return s.Target.Folder
	}
	return filepath.Join(filepath.Dir(s.File), s.Target.Folder)
}

// Settings are what a sender that the run starts is told, by dotted key, as the scenario writes it.
func (t *Target) Settings() map[string]string {
	out := map[string]string{"target.replicas": strconv.Itoa(max(1, t.Replicas))}
	if len(t.Command) > 0 {
		out["target.command"] = strings.Join(t.Command, " ")
	}
	if t.Image != "" {
		out["target.image"] = t.Image
	}
	for k, v := range t.Environment {
		out["target.environment."+k] = v
	}
	return out
}

// command checks what belongs to a target that the run starts itself.
func (in *inspector) command(t *Target) {
	if t.Image != "" {
		if t.Folder != "" {
			in.bad("target.folder", "is for a command without an image", "")
		}
		return
	}
	if len(t.Command) > 0 {
		if strings.TrimSpace(t.Command[0]) == "" {
			in.bad("target.command", "names no program", "such as [node, server.js]")
		}
		if t.Listens() > 0 && t.Replicas > 1 {
			in.bad("target.replicas", "copies cannot share port "+strconv.Itoa(t.Listens()), "write the url as a path such as /send, leave port out, and have the program listen on {{.Port}}, or on what PORT says")
		}
		return
	}
	if t.Folder != "" {
		in.bad("target.folder", "is for a sender that the run starts", "add command: [node, server.js]")
	}
}

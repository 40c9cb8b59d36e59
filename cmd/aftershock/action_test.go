package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// action is what action.yml uses of GitHub's composite actions.
type action struct {
	Name, Description string
	Branding          map[string]string
	Inputs, Outputs   map[string]map[string]any
	Runs              struct {
		Using string
		Steps []struct {
			Name, ID, Uses, Shell, Run string
			With, Env                  map[string]string
		}
	}
}

// TestAction: other people's actions are pinned by commit, and inputs reach the command as they were written.
func TestAction(t *testing.T) {
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.UnmarshalStrict(text, &a); err != nil {
		t.Fatal(err)
	}
	script := ""
	for _, s := range a.Runs.Steps {
		if s.Uses != "" && !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(s.Uses) {
			t.Errorf("%s is not pinned by a commit", s.Uses)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %s pastes an input into a script: give it by env", s.Name)
		}
		if s.ID == "run" {
			script = s.Run
		}
	}
	for code, verdict := range map[string]string{"0": "met", "99": "missed", "3": "invalid", "1": ""} {
		dir := t.TempDir()
		for name, content := range map[string]string{
			"aftershock": "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$RUNNER_TEMP/args\"\nexit " + code + "\n", "a.yaml": "", "b.yaml": "",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "RUNNER_TEMP=" + dir, "GITHUB_OUTPUT=" + filepath.Join(dir, "out"),
			"SCENARIO=my surge.yaml", "ARGS=--set a=* --env containers", "BASELINE=", "OUT=runs/ci"}
		err := cmd.Run()
		if (err == nil) != (code == "0") {
			t.Errorf("exit %s: %v", code, err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "args"))
		if err != nil {
			t.Fatal(err)
		}
		if want := "run\nmy surge.yaml\n--out\nruns/ci\n--ui\nplain\n--set\na=*\n--env\ncontainers\n"; string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if out, _ := os.ReadFile(filepath.Join(dir, "out")); string(out) != "verdict="+verdict+"\n" {
			t.Errorf("exit %s is told as %q", code, out)
		}
	}
}

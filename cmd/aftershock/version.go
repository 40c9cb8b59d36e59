package main

import (
	"fmt"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "aftershock %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// redacted is a URL without the password in it.
func redacted(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	return u.Redacted()
}

// command is the line that runs the same again.
func (f *runFlags) command(s *scenarios.Scenario, name string) string {
	words := []string{"aftershock", "run", name}
	if f.preset != "" {
		words = append(words, "--preset", f.preset)
	}
	for _, v := range f.variants {
		words = append(words, "--variant", v)
	}
	for _, v := range f.set {
		words = append(words, "--set", v)
	}
	words = append(words, "--seed", fmt.Sprint(s.Seed))
	if f.queue != "memory" {
		words = append(words, "--queue", f.queue)
	}
	if f.env != "embedded" {
		words = append(words, "--env", f.env)
	}
	if f.target != "" {
		words = append(words, "--target", redacted(f.target))
	}
	if f.image != "" {
		words = append(words, "--image", f.image)
	}
	if f.faketime != "" {
		words = append(words, "--libfaketime", f.faketime)
	}
	if f.clock == "wall" {
		words = append(words, "--clock", "wall", "--compress", fmt.Sprint(f.compress))
	}
	for i, w := range words {
		if strings.ContainsAny(w, " ()'\"$&|;<>*?[]{}#~!\\") {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

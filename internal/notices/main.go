// notices writes the licences of everything that is linked into the aftershock binary, which whoever passes the binary on
// has to pass on with it.
//
//	go run ./internal/notices [FILE]
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	name := "THIRD_PARTY_NOTICES.txt"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	text, n, err := gather(".")
	if err == nil {
		err = os.WriteFile(name, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
	fmt.Printf("wrote %s: %d modules and Go itself\n", name, n)
}

// gather returns the notices of the modules that the command is built from, and how many there are. A module without any
// is an error: nobody has allowed us to pass it on.
func gather(root string) ([]byte, int, error) {
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", "./cmd/aftershock")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return nil, 0, fmt.Errorf("list the modules: %w", err)
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, 0, fmt.Errorf("find Go: %w", err)
	}
	lines := slices.Compact(slices.Sorted(slices.Values(strings.Split(strings.TrimSpace(string(out)), "\n"))))
	var text bytes.Buffer
	text.WriteString("aftershock is built from these modules, each under its own licence.\n")
	for _, line := range append([]string{"Go\t" + strings.TrimSpace(string(goroot))}, lines...) {
		module, dir, _ := strings.Cut(line, "\t")
		files, err := licences(dir)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", module, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(dir, f))
			if err != nil {
				return nil, 0, err
			}
			fmt.Fprintf(&text, "\n%s\n%s: %s\n\n%s\n", strings.Repeat("=", 78), module, f, bytes.TrimSpace(b))
		}
	}
	return text.Bytes(), len(lines), nil
}

var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// licences are the names of the files in a module's folder that say what one may do with it.
func licences(dir string) (out []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && licence.MatchString(e.Name()) && filepath.Ext(e.Name()) != ".go" {
			out = append(out, e.Name())
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("it has no licence in %s", dir)
	}
	return out, nil
}

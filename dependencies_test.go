package aftershock_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// needed is what go.mod asks for by itself: modules that are imported, and tools.
func needed(t *testing.T) (modules, tools []string) {
	t.Helper()
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Tool []struct{ Path string }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !r.Indirect {
			modules = append(modules, r.Path)
		}
	}
	for _, tool := range mod.Tool {
		tools = append(tools, tool.Path)
	}
	if len(modules) == 0 || len(tools) == 0 {
		t.Fatalf("go.mod has %d modules and %d tools", len(modules), len(tools))
	}
	return modules, tools
}

// users are the packages that import something of each module, in their tests or outside.
func users(t *testing.T, modules []string) map[string][]string {
	t.Helper()
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}`, "./...")
	list.Env = append(os.Environ(), "GOOS=linux") // what is for Linux alone counts everywhere
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]map[string]bool{}
	for line := range strings.Lines(string(out)) {
		names := strings.Fields(line)
		for _, imported := range names[1:] {
			best := ""
			for _, m := range modules {
				if (imported == m || strings.HasPrefix(imported, m+"/")) && len(m) > len(best) {
					best = m
				}
			}
			if best == "" {
				continue
			}
			if by[best] == nil {
				by[best] = map[string]bool{}
			}
			by[best][strings.TrimPrefix(names[0], module)] = true
		}
	}
	users := map[string][]string{}
	for m, packages := range by {
		users[m] = slices.Sorted(maps.Keys(packages))
	}
	return users
}

// row is one of docs/dependencies.md: a name, who imports or uses it, and what it saves.
type row struct{ name, users, saves string }

// rows reads a table of docs/dependencies.md, which begins at the line that starts with heading.
func rows(t *testing.T, heading string) (rows []row) {
	t.Helper()
	page, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n"+heading)
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) == 3 && strings.HasPrefix(line, "| `") {
			rows = append(rows, row{strings.Trim(cells[0], " `"), strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])})
		}
	}
	return rows
}

// Each module and tool that go.mod asks for has its row in docs/dependencies.md, which says who imports it and what it saves.
func TestDependencies(t *testing.T) {
	modules, tools := needed(t)
	imports := users(t, modules)
	for heading, want := range map[string][]string{"| module |": modules, "| tool |": tools} {
		left := slices.Clone(want)
		for _, r := range rows(t, heading) {
			at := slices.Index(left, r.name)
			if at < 0 {
				t.Errorf("docs/dependencies.md has a row for %s, which go.mod does not ask for, or a second one", r.name)
				continue
			}
			left = slices.Delete(left, at, at+1)
			if len(r.saves) < 20 {
				t.Errorf("docs/dependencies.md does not say what %s saves", r.name)
			}
			if by := strings.Join(imports[r.name], ", "); heading == "| module |" && r.users != by {
				t.Errorf("docs/dependencies.md says that %s is imported by %s; it is by %s", r.name, r.users, by)
			}
		}
		if len(left) > 0 {
			t.Errorf("docs/dependencies.md has no row for %s: say who imports it, and in a sentence what it saves", strings.Join(left, ", "))
		}
	}
}

package aftershock_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/aftershock-dev/aftershock/"

// arrows says, for each room of the house, which other rooms its code may reach, directly or not. The leaves, quantity
// and those under internal/, are open to all: they know amounts, draws and instants, never messages.
var arrows = map[string][]string{
	"scenarios":       {},
	"reports/record":  {},
	"fakewa":          {},
	"fakewa/control":  {"fakewa"},
	"sut":             {"sut"},
	"sut/policy":      {},
	"sut/queue":       {"sut/queue"},
	"sut/fleet":       {"sut/policy"},
	"sut/wire":        {},
	"sut/drafts":      {"sut/policy", "sut/queue", "sut/fleet", "sut/wire"},
	"sut/whatsapp":    {"sut/policy", "sut/queue", "sut/fleet", "sut/wire"},
	"harness":         {"scenarios", "reports/record"},
	"harness/virtual": {},
	"harness/sweep":   {"harness", "reports", "scenarios", "fakewa", "sut"},
	"reports":         {"scenarios", "reports"},
	"reports/dash":    {"reports", "scenarios"},
}

// TestArrows keeps the picture in docs/architecture.md true.
func TestArrows(t *testing.T) {
	checked := 0
	for pkg, allowed := range arrows {
		out, err := exec.Command("go", "list", "-deps", "./"+pkg).Output()
		if err != nil {
			t.Fatalf("go list -deps ./%s: %v", pkg, err)
		}
		for _, dep := range strings.Fields(string(out)) {
			room, ours := strings.CutPrefix(dep, module)
			if !ours || room == pkg || room == "quantity" || strings.HasPrefix(room, "internal/") || strings.HasPrefix(room, pkg+"/internal/") {
				continue
			}
			if !within(room, allowed) {
				t.Errorf("%s reaches %s; it may reach only %v", pkg, room, allowed)
			}
		}
		checked++
	}
	if checked == 0 {
		t.Fatal("no package was checked")
	}
}

func within(room string, allowed []string) bool {
	for _, a := range allowed {
		if room == a || strings.HasPrefix(room, a+"/") {
			return true
		}
	}
	return false
}

// TestTestingStaysOut keeps package testing out of everything but harness/virtual, which needs testing/synctest.
func TestTestingStaysOut(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{$p := .ImportPath}}{{range .Imports}}{{if eq . "testing" "testing/synctest"}}{{$p}}{{"\n"}}{{end}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range strings.Fields(string(out)) {
		room := strings.TrimPrefix(pkg, module)
		if room != "harness/virtual" && room != "internal/golden" { // golden is a helper of tests
			t.Errorf("%s imports testing outside its tests; only harness/virtual may", room)
		}
	}
}

// TestExamplesAreOutside keeps the examples to what anybody else's module may import.
func TestExamplesAreOutside(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}{{range .TestImports}}{{$p}} {{.}}{{"\n"}}{{end}}{{range .XTestImports}}{{$p}} {{.}}{{"\n"}}{{end}}`, "./examples/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	replayed := 0
	for line := range strings.Lines(string(out)) {
		pkg, imported, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(imported, module+"internal/") {
			t.Errorf("%s imports %s, which no other module can", pkg, imported)
		}
		if imported == module+"replay" {
			replayed++
		}
	}
	if replayed == 0 {
		t.Error("no example replays a sender")
	}
}

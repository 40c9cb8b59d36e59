package acceptance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is a fenced block of the README: commands, and what they print.
type block struct{ commands, prints string }

func readmeBlocks(t *testing.T) (list []block) {
	t.Helper()
	text, err := os.ReadFile("../fakewa/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```(sh|text)\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		if m[1] == "sh" {
			list = append(list, block{commands: m[2]})
		} else {
			list[len(list)-1].prints = m[2]
		}
	}
	if len(list) < 15 {
		t.Fatalf("only %d blocks of commands in the README", len(list))
	}
	return list
}

// pattern turns what a block prints into a regular expression: … stands for anything.
func pattern(prints string) *regexp.Regexp {
	parts := strings.Split(strings.TrimSpace(prints), "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, ".*?") + "$")
}

// The README's commands, run one after the other in one shell, print what it says they print.
func TestReadme(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	bin := t.TempDir()
	if err := os.Symlink(os.Getenv("AFTERSHOCK"), filepath.Join(bin, "aftershock")); err != nil {
		t.Fatal(err)
	}
	graph, control := freePort(t), freePort(t)
	ports := strings.NewReplacer("127.0.0.1:8080", "127.0.0.1:"+graph, "127.0.0.1:8081", "127.0.0.1:"+control,
		"127.0.0.1:8082", "127.0.0.1:"+freePort(t), `"127.0.0.1", 3000`, `"127.0.0.1", `+freePort(t))
	receiver := regexp.MustCompile(`"127.0.0.1", (\d+)`)
	blocks := readmeBlocks(t)
	var script strings.Builder
	script.WriteString("trap 'kill $(jobs -p) 2>/dev/null' EXIT\n")
	var hook string
	for _, b := range blocks {
		commands := ports.Replace(b.commands)
		if m := receiver.FindStringSubmatch(commands); m != nil {
			hook = m[1]
			commands = strings.ReplaceAll(commands, "127.0.0.1:3000", "127.0.0.1:"+hook)
		}
		if strings.TrimSpace(commands) == "aftershock fakewa &" {
			commands = fmt.Sprintf("aftershock fakewa --listen 127.0.0.1:%s --control 127.0.0.1:%s &\nuntil curl -s http://127.0.0.1:%[2]s/healthz > /dev/null; do sleep 0.1; done", graph, control)
		}
		script.WriteString(commands + "\necho; echo '== end of block =='\n")
	}
	cmd := exec.Command("bash")
	cmd.Dir, cmd.Stdin, cmd.Stderr = t.TempDir(), strings.NewReader(script.String()), os.Stderr
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	printed := strings.Split(string(out), "== end of block ==\n")
	if len(printed) != len(blocks)+1 {
		t.Fatalf("%d of %d blocks ran:\n%s", len(printed)-1, len(blocks), out)
	}
	for i, b := range blocks {
		if b.prints == "" {
			continue
		}
		if got := strings.TrimSpace(printed[i]); !pattern(ports.Replace(b.prints)).MatchString(got) {
			t.Errorf("commands:\n%s\nprinted:\n%s\nthe README says:\n%s", b.commands, got, b.prints)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

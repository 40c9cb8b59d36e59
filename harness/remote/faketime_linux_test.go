package remote

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// static writes a program for the machine that no library can be loaded into.
func static(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	head := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	for _, part := range []any{head, elf.Prog64{Type: uint32(elf.PT_LOAD)}} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return script(t, b.String())
}

func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// A program whose time cannot be squeezed is refused before anything starts, also behind a script.
func TestSqueezable(t *testing.T) {
	ours, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	none := static(t)
	for _, c := range []struct{ name, want string }{
		{"sh", ""},
		{script(t, "#!/bin/sh\necho hello\n"), ""},
		{script(t, "#!/usr/bin/env -S sh -e\n"), ""},
		{ours, "is a Go program"},
		{none, "is a static program"},
		{script(t, "#!"+none+" -x\n"), "is a static program"},
		{filepath.Base(none), "is a static program"}, // beside the scenario: written as ./program
	} {
		name, folder := c.name, "/"
		if !strings.Contains(name, "/") && name != "sh" {
			name, folder = "./"+name, filepath.Dir(none)
		}
		err := squeezable(name, folder)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestFaketimeThatIsNoLibrary(t *testing.T) {
	for name, want := range map[string]string{"/nowhere/libfaketime.so.1": "no such file", script(t, "text"): "is not a shared library"} {
		if _, err := newFaketime(t.Context(), name, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if sh, err := exec.LookPath("sh"); err == nil { // a program, which the loader leaves out
		if _, err := newFaketime(t.Context(), sh, 10); err == nil || !strings.Contains(err.Error(), "does not work here") {
			t.Errorf("%s as a library: %v", sh, err)
		}
	}
}

// A copy that starts later sees the time that the others see, and what waits is shortened.
func TestTimeIsSqueezed(t *testing.T) {
	f, err := newFaketime(t.Context(), "", 20)
	if errors.Is(err, errNoFaketime) {
		t.Skip("libfaketime is not installed (apt-get install faketime)")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	run := func(later time.Duration, args ...string) string {
		began := f.began.Add(later)
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = clean(os.Environ())
		for k, v := range f.environment(began) {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	told, err := strconv.ParseInt(run(100*time.Second, "date", "+%s"), 10, 64)
	if ahead := told - time.Now().Unix(); err != nil || ahead < 1890 || ahead > 2000 {
		t.Errorf("a copy started after 100 s at 20 times sees %d s more than the wall, %v", ahead, err)
	}
	python, err := exec.LookPath("python3")
	if err != nil || f.waits == "" {
		t.Skip("the rest needs python3 and a C compiler")
	}
	// A wait that is not shortened takes 100 s by the program's clocks, and one that is takes 5 s and what the machine is late, of
	// which the best of a few tries has little.
	const waits = `
import queue, select, threading, time
def empty():
    try: queue.Queue().get(timeout=5)
    except queue.Empty: pass
for wait in (lambda: time.sleep(5)), (lambda: select.select([], [], [], 5)), (lambda: threading.Event().wait(5)), empty:
    a, m = time.time(), time.monotonic()
    wait()
    print(time.time() - a, time.monotonic() - m)`
	var best []float64
	for range 5 {
		for i, text := range strings.Fields(run(0, python, "-c", waits)) {
			took, err := strconv.ParseFloat(text, 64)
			switch {
			case err != nil || took < 4.99:
				t.Fatalf("wait %d of five seconds took %s", i/2, text)
			case i == len(best):
				best = append(best, took)
			}
			best[i] = min(best[i], took)
		}
		if len(best) == 8 && slices.Max(best) < 50 {
			return
		}
	}
	t.Errorf("waits of five seconds took %v by Python's two clocks, at best", best)
}

package remote

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// faketime squeezes the time of a program that is not ours: libfaketime, loaded into it before its libc, answers what asks
// for the time and shortens what waits.
type faketime struct {
	library string
	waits   string // a library of ours for waits that it does not know; "" without a C compiler
	rate    float64
	began   time.Time // of all copies' squeezed time
	image   bool      // the library is within an image
	lacking bool      // it does not know waits that Python's locks use

	mu     sync.Mutex
	spared map[string]bool // programs beside the sender that it started without the library
}

//go:embed preload/clockwait.c
var clockwait []byte

// places are where distributions keep the library. Programs have threads: that version is preferred.
var places = []string{
	"/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1", "/usr/lib64/faketime/libfaketimeMT.so.1",
	"/usr/local/lib/faketime/libfaketimeMT.so.1", "/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1",
	"/usr/lib64/faketime/libfaketime.so.1", "/usr/local/lib/faketime/libfaketime.so.1",
}

var errNoFaketime = errors.New("--compress needs libfaketime for a sender that is not ours, and it is not installed\nhint: apt-get install faketime, or name it with --libfaketime PATH; without --compress the run takes as long as it says")

// newFaketime finds the library and tries it out. What it needs besides is made in a folder of its own.
func newFaketime(ctx context.Context, named string, rate float64) (*faketime, error) {
	f := &faketime{library: named, rate: rate, began: time.Now()}
	if named == "" {
		for _, pattern := range places {
			if found, _ := filepath.Glob(pattern); len(found) > 0 {
				f.library = found[0]
				break
			}
		}
	}
	if f.library == "" {
		return nil, errNoFaketime
	}
	var err error
	if f.library, err = filepath.Abs(f.library); err != nil {
		return nil, err
	}
	lib, err := elf.Open(f.library)
	if err != nil {
		return nil, fmt.Errorf("--libfaketime: %s is not a shared library: %w", f.library, err)
	}
	defer lib.Close()
	if err := f.tryOut(ctx); err != nil {
		return nil, err
	}
	if !exports(lib, "sem_clockwait") {
		f.waits, f.lacking = compileWaits(ctx), true
	}
	return f, nil
}

// tryOut asks a program for the time, far in the future: a library that the loader leaves out would leave every figure wrong.
func (f *faketime) tryOut(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "date", "+%s")
	cmd.Env = append(clean(os.Environ()), "LD_PRELOAD="+f.library, "FAKETIME=+1000000 x2")
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if told, e := strconv.ParseInt(text, 10, 64); err != nil || e != nil || told < time.Now().Unix()+900_000 {
		return fmt.Errorf("--compress: %s does not work here: date answered %q (%v)", f.library, text, err)
	}
	return nil
}

// exports tells whether a library has a function.
func exports(lib *elf.File, name string) bool {
	symbols, err := lib.DynamicSymbols()
	return err == nil && slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == name && s.Section != elf.SHN_UNDEF })
}

// compileWaits makes the library for waits that libfaketime does not know, and returns its file; "" when there is no
// compiler: a report says then what is missing.
func compileWaits(ctx context.Context) string {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return ""
	}
	dir, err := os.MkdirTemp("", "aftershock-waits-")
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out := filepath.Join(dir, "waits.so")
	cmd := exec.CommandContext(ctx, cc, "-shared", "-fPIC", "-O2", "-x", "c", "-", "-o", out, "-ldl")
	cmd.Stdin = bytes.NewReader(clockwait)
	if err := cmd.Run(); err != nil {
		_ = os.RemoveAll(dir)
		return ""
	}
	return out
}

// close removes what was made.
func (f *faketime) close() {
	if f != nil && f.waits != "" {
		_ = os.RemoveAll(filepath.Dir(f.waits))
	}
}

// environment is what a program is started with, now: a copy that starts later sees the time that the others see.
func (f *faketime) environment(now time.Time) map[string]string {
	ahead := now.Sub(f.began).Seconds() * (f.rate - 1)
	preload := f.library
	if f.waits != "" {
		preload = f.waits + ":" + preload
	}
	return map[string]string{
		"LD_PRELOAD": preload, "FAKETIME_DONT_RESET": "1",
		"FAKETIME":            fmt.Sprintf("+%.0f x%g", ahead, f.rate), // no fraction: the library reads it as the locale has it
		"AFTERSHOCK_COMPRESS": strconv.FormatFloat(f.rate, 'g', -1, 64),
	}
}

// clean drops what would tell libfaketime something else.
func clean(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		return strings.HasPrefix(kv, "FAKETIME") || strings.HasPrefix(kv, "DONT_FAKE_MONOTONIC=") || strings.HasPrefix(kv, "LD_PRELOAD=")
	})
}

// says tells how time was squeezed, and what was not.
func (f *faketime) says() []string {
	out := []string{fmt.Sprintf("time ran %g times as fast, the sender's by libfaketime (%s): what it computes, its disk, and programs beside it (a database, a Redis) kept the wall's pace, and dates in its webhooks fall behind its clock", f.rate, f.library)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.spared) > 0 {
		out = append(out, "the sender started "+strings.Join(slices.Sorted(maps.Keys(f.spared)), ", ")+" without libfaketime: that kept the wall's time")
	}
	switch {
	case f.image:
		out = append(out, "whether the image's programs loaded the library, its log says (object … cannot be preloaded)")
	case f.waits == "" && f.lacking:
		out = append(out, "this libfaketime does not know sem_clockwait, and there is no C compiler to add it: locks of Python that wait for a time wait too long")
	}
	return out
}

// squeezable refuses a program whose time cannot be squeezed: one that is static, or that reads the clock without libc.
func squeezable(name, folder string) error { return squeezableFrom(name, folder, 0) }

func squeezableFrom(name, folder string, depth int) error {
	path := name
	if !strings.Contains(name, "/") {
		found, err := exec.LookPath(name)
		if err != nil {
			return nil // the engine says so
		}
		path = found
	} else if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	head := make([]byte, 256)
	n, _ := io.ReadFull(file, head)
	if line, ok := bytes.CutPrefix(head[:n], []byte("#!")); ok && depth < 4 {
		line, _, _ = bytes.Cut(line, []byte("\n"))
		words := strings.Fields(string(line))
		if len(words) > 1 && filepath.Base(words[0]) == "env" {
			words = slices.DeleteFunc(words[1:], func(w string) bool { return strings.HasPrefix(w, "-") || strings.Contains(w, "=") })
		}
		if len(words) > 0 {
			return squeezableFrom(words[0], folder, depth+1)
		}
		return nil
	}
	return checkBinary(path)
}

// loaded refuses a process that runs, and whose time is not squeezed: a shell may have started anything. What was started
// without the library on purpose is told of.
func (f *faketime) loaded(pid int) error {
	dir := "/proc/" + strconv.Itoa(pid)
	exe, err := os.Readlink(dir + "/exe")
	if err != nil {
		return nil // it has ended
	}
	env, err := os.ReadFile(dir + "/environ")
	if err != nil {
		return nil
	}
	if !bytes.Contains(env, []byte(f.library)) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.spared == nil {
			f.spared = map[string]bool{}
		}
		f.spared[nameOf(dir, exe)] = true
		return nil
	}
	if err := checkBinary(dir + "/exe"); err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), dir+"/exe", exe))
	}
	loaded, err := os.ReadFile(dir + "/maps")
	if err == nil && len(loaded) > 0 && !bytes.Contains(loaded, []byte(filepath.Base(f.library))) {
		return fmt.Errorf("--compress: %s runs without libfaketime, though it was told to load it: its time cannot be squeezed", exe)
	}
	return nil
}

// checkBinary refuses what the loader leaves alone, and what does not ask libc.
func checkBinary(path string) error {
	const hint = "\nhint: run it without --compress"
	if _, err := buildinfo.ReadFile(path); err == nil {
		return fmt.Errorf("--compress: %s is a Go program, which reads the clock without libc: its time cannot be squeezed%s; a sender in Go can run in virtual time (docs/your-sender.md)", path, hint)
	}
	f, err := elf.Open(path)
	if err != nil {
		return nil // not a binary of this system: it will not start
	}
	defer f.Close()
	dynamic := slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	if !dynamic {
		return fmt.Errorf("--compress: %s is a static program: no library can be loaded into it, so that its time cannot be squeezed%s", path, hint)
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0 {
		return fmt.Errorf("--compress: %s runs with somebody else's rights (setuid), so that no library is loaded into it%s", path, hint)
	}
	return nil
}

// nameOf is what a process calls itself.
func nameOf(dir, exe string) string {
	b, err := os.ReadFile(dir + "/comm")
	if err != nil {
		return filepath.Base(exe)
	}
	return strings.TrimSpace(string(b))
}

// Package used tells what a process has used of the machine, as far as the operating system says.
package used

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of CPU times in /proc: the kernel has told user space a hundredth of a second since ever.
const tick = 10 * time.Millisecond

// By reads CPU time and resident memory of a process from /proc.
func By(pid int) (cpu time.Duration, memory int64, err error) {
	p, err := read(pid)
	if err != nil {
		return 0, 0, err
	}
	return p.own, p.memory, nil
}

// Group reads what a group of processes has used: its members, and the children that they have waited for.
func Group(id int) (cpu time.Duration, memory int64, err error) {
	found := false
	each(id, func(_ int, p process) {
		found = true
		cpu, memory = cpu+p.own+p.children, memory+p.memory
	})
	if !found {
		return 0, 0, fmt.Errorf("sample a group of processes: %d has no members", id)
	}
	return cpu, memory, nil
}

// Members lists the processes of a group.
func Members(id int) (pids []int) {
	each(id, func(pid int, _ process) { pids = append(pids, pid) })
	return pids
}

// each tells of the processes of a group.
func each(id int, tell func(pid int, p process)) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, err := read(pid); err == nil && p.group == id { // it may have ended just now
			tell(pid, p)
		}
	}
}

// process is what /proc says of one.
type process struct {
	group         int
	own, children time.Duration // CPU, of children that were waited for
	memory        int64
}

func read(pid int) (p process, err error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return p, fmt.Errorf("sample a process: %w", err)
	}
	// The name in parentheses may hold anything. After it come: state, parent, group, …, and from the 12th on user and
	// system time, its own and its children's.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 15 {
		return p, fmt.Errorf("sample a process: %s/stat has %d fields", dir, len(fields))
	}
	if p.group, err = strconv.Atoi(string(fields[2])); err != nil {
		return p, fmt.Errorf("sample a process: %w", err)
	}
	for i, f := range fields[11:15] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return p, fmt.Errorf("sample a process: %w", err)
		}
		if i < 2 {
			p.own += time.Duration(n) * tick
		} else {
			p.children += time.Duration(n) * tick
		}
	}
	statm, err := os.ReadFile(dir + "/statm")
	if err != nil {
		return p, fmt.Errorf("sample a process: %w", err)
	}
	if fields = bytes.Fields(statm); len(fields) > 1 {
		pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			return p, fmt.Errorf("sample a process: %w", err)
		}
		p.memory = pages * int64(os.Getpagesize())
	}
	return p, nil
}

// Machine reads how long the cores of this machine have been busy since it started, all of them together, and how many
// there are. Time that the hardware gave to another virtual machine counts as busy: nobody here had it.
func Machine() (busy time.Duration, cores int, err error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, fmt.Errorf("sample the machine: %w", err)
	}
	for line := range bytes.Lines(stat) {
		fields := bytes.Fields(line)
		switch {
		case len(fields) < 9 || !bytes.HasPrefix(fields[0], []byte("cpu")):
		case len(fields[0]) > len("cpu"):
			cores++
		default: // user nice system idle iowait irq softirq steal; guests are in user
			for _, i := range []int{1, 2, 3, 6, 7, 8} {
				n, err := strconv.ParseInt(string(fields[i]), 10, 64)
				if err != nil {
					return 0, 0, fmt.Errorf("sample the machine: %w", err)
				}
				busy += time.Duration(n) * tick
			}
		}
	}
	return busy, cores, nil
}

// Stopped reports whether every thread of a process has stopped, or the process is no more.
func Stopped(pid int) bool {
	tasks, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return true
	}
	for _, t := range tasks {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + t.Name() + "/stat")
		if err != nil {
			continue
		}
		if rest := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:]); len(rest) > 0 && rest[0] != 'T' && rest[0] != 'Z' && rest[0] != 'X' {
			return false
		}
	}
	return true
}

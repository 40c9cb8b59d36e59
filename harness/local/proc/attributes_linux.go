package proc

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// attributes puts a child into a session of its own, out of reach of the terminal's Ctrl-C, and ends it with us. Where the
// kernel shares the cores out by session (autogroup), every part has a share as if it had a machine of its own.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// stepBack lets the load go first: a hit that leaves late because a part took the core is a hit that measures nothing.
// Nothing depends on it, so errors are no matter.
func stepBack(pid int) {
	_ = syscall.Setpriority(syscall.PRIO_PGRP, pid, behindLoad)
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte(strconv.Itoa(behindLoad)), 0)
}

package proc

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// attributes puts a child into a session of its own, out of reach of the terminal's Ctrl-C, and ends it with us. Where the
// kernel shares the cores out by session (autogroup), every part has a share as if it had a machine of its own.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// detached puts a process into a session of its own, and lets it outlive us.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// giveSlack gives this thread, and whatever it starts from now on, the slack, or takes it back with 0. The runtime of a Go
// program that is neither idle nor busy looks after its threads every few ten microseconds, as soon as timers let it, and
// twenty such programs spend more of a machine on that than on their messages. What they wait for is measured in
// milliseconds. Without slack a run is only more expensive, so errors are no matter.
func giveSlack(d time.Duration) { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(d), 0, 0, 0) }

package proc

import "syscall"

// attributes puts a child into a session of its own, out of reach of the terminal's Ctrl-C, and ends it with us. Where the
// kernel shares the cores out by session (autogroup), every part has a share as if it had a machine of its own.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

//go:build !unix

package docker

import "syscall"

func aloof() *syscall.SysProcAttr { return nil }

//go:build !unix

package proc

import (
	"errors"
	"os"
	"syscall"
	"time"
)

type sign int

const (
	kill sign = iota
	terminate
	halt
	carryOn
)

var errUnsupported = errors.New("the processes environment needs Unix signals; use --env embedded or containers")

func supported() error { return errUnsupported }

func sendSignal(*os.Process, sign) error { return errUnsupported }

func attributes() *syscall.SysProcAttr { return nil }

func detached() *syscall.SysProcAttr { return nil }

func giveSlack(time.Duration) {}

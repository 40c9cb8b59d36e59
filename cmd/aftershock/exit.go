package main

import (
	"errors"
	"fmt"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Exit codes, as documented in the help and in docs/ci.md.
const (
	exitMet         = 0
	exitCouldNotRun = 1
	exitUsage       = 2
	exitInvalid     = 3
	exitMissed      = 99
	exitInterrupted = 130
)

// exitError carries the exit code that an error asks for. A nil err exits silently with the code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exitWith returns an error that ends the process with code; err may be nil when everything has been said already.
func exitWith(code int, err error) error { return &exitError{code: code, err: err} }

// usageError marks bad usage or a bad scenario: exit 2.
func usageError(err error) error { return exitWith(exitUsage, err) }

// exitCode is the code that an error asks for.
func exitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitMet
	case errors.As(err, &e):
		return e.code
	case errors.Is(err, record.ErrDamaged):
		return exitInvalid
	}
	return exitCouldNotRun
}

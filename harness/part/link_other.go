//go:build !linux

package part

import (
	"errors"
	"time"
)

// delayLinks is Linux's alone: so are containers.
func delayLinks(time.Duration) error { return errors.New("only Linux can hold packets back") }

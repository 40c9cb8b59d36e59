package part

import (
	"context"
	"fmt"
	"time"
)

// runLink slows down the network of the container that it is put into, or ends that: all that leaves waits for the
// spec's delay. It does so and ends; it is not there while the delay is.
func runLink(_ context.Context, s Spec) error {
	by, err := time.ParseDuration(s.Delay)
	if err != nil {
		return fmt.Errorf("read the delay: %w", err)
	}
	return delayLinks(by)
}

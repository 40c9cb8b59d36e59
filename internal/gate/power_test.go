//go:build power

// Twenty runs of eight hours each: make gate-power, and not a part of what every change waits for.

package gate

import "testing"

func TestGatePower(t *testing.T) { oneMoreIsFound(t, "june6-slo", 20) }

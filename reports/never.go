package reports

import (
	"encoding/json"
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// forever is how long a message waits that is never delivered: longer than anything that is. It is a number like any
// other, so that it can be sorted, compared and kept in a baseline; people read it as never, and JSON as null.
const forever = time.Duration(math.MaxInt64)

// isNever reports whether a number of seconds stands for never.
func isNever(seconds float64) bool { return seconds >= forever.Seconds()*(1-1e-9) }

// deliveryWait is how long a message's recipient waited: until it was delivered, or forever.
func deliveryWait(m *record.Message) (time.Duration, bool) {
	if took, ok := deliveryTime(m); ok {
		return took, true
	}
	return forever, true
}

// Millis is a time in milliseconds in summary.json, where never is null.
type Millis float64

// Seconds returns the time in seconds.
func (m Millis) Seconds() float64 { return float64(m) / 1e3 }

// MarshalJSON prints the number, or null for never.
func (m Millis) MarshalJSON() ([]byte, error) {
	if isNever(m.Seconds()) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(m))
}

// UnmarshalJSON reads what MarshalJSON prints.
func (m *Millis) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*m = Millis(forever.Seconds() * 1e3)
		return nil
	}
	return json.Unmarshal(text, (*float64)(m))
}

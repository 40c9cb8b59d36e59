package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Hindered lists why the machine spoilt the measurement, when nothing else is held against the run: another attempt may go
// well. A run that was missed is never among these, nor one that its sender or its scenario made invalid.
func (r *Report) Hindered() []string {
	if r.Verdict != Invalid || r.Info.State != record.Finished {
		return nil
	}
	for _, why := range r.untrusted() {
		if !slices.Contains(r.Info.Harness.Machine, why) {
			return nil
		}
	}
	return slices.Clone(r.Info.Harness.Machine)
}

// retriedWords says which attempts came before this one, and why they do not count.
func (r *Report) retriedWords() string {
	n := len(r.Info.Retried)
	if n == 0 {
		return ""
	}
	parts := make([]string, n)
	for i, a := range r.Info.Retried {
		parts[i] = fmt.Sprintf("%s (%s)", a.Folder, strings.Join(a.Why, "; "))
	}
	return fmt.Sprintf("%s before this one made invalid by the machine, kept in %s", plural(n, "attempt"), strings.Join(parts, ", "))
}

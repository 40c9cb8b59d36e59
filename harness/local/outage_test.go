package local_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness/local"
	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

const outage = `schema: aftershock/scenario/v1
name: outage
seed: 5
start: 2026-06-12T09:44:00-04:00
load:
  arrivals: poisson
  phases:
    - {name: calm, for: 10m, rate: 30/min}
    - {name: out, for: %[1]s, rate: 30/min}
    - {name: after, for: 20m, rate: 30/min}
drain: 4h
messages: {mix: {text: 80%%, image: 20%%}, recipients: 20000}
client: {timeout: 10s, retries: 3, backoff: 1s}
sender: {preset: hardened}
timeline:
  - {at: 10m, for: %[1]s, fault: {%[2]s}}
`

// TestOutageOfTheProviderInAQuietHour: with a message a minute few have to find out, and those in doubt are not used up for it.
func TestOutageOfTheProviderInAQuietHour(t *testing.T) {
	for _, fault := range []string{"kind: error, code: 131000", "kind: reset", "kind: silence", "kind: refuse-connections", "kind: error, code: 131016"} {
		t.Run(strings.TrimPrefix(fault, "kind: "), func(t *testing.T) {
			t.Parallel()
			text := strings.ReplaceAll(fmt.Sprintf(outage, time.Hour, fault), "30/min", "1/min")
			survived(t, replay(t, local.Options{Scenario: read(t, text, 5)}), 70*time.Minute, 4*time.Hour)
		})
	}
}

// outages are the ways of a provider to be out. doubt: an attempt during the outage leaves nobody knowing whether the
// message was taken.
var outages = []struct {
	fault string
	doubt bool
	long  bool // tried for six hours, too
}{
	{"kind: error, code: 131016", false, true},
	{"kind: error, code: 2", false, false},
	{"kind: error, code: 131000", true, true},
	{"kind: error, code: 1, status: 500", true, false},
	{"kind: refuse-connections", false, true},
	{"kind: reset", true, true},
	{"kind: silence", true, true},
	{"kind: reply-lost", true, false},
	{"kind: not-json", true, false},
	{"kind: truncate", true, false},
	{"kind: error, code: 190", false, false}, // the token is taken away, and given back
}

// TestOutageOfTheProvider: however the provider is out, and for how long, what is still valid when it is over arrives, the
// rest expires by its own validity, nothing comes twice but what was in doubt, few attempts are made, and what waited does
// not come all at once.
func TestOutageOfTheProvider(t *testing.T) {
	for _, long := range []time.Duration{time.Hour, 6 * time.Hour} {
		for _, o := range outages {
			if long > time.Hour && !o.long {
				continue
			}
			t.Run(fmt.Sprintf("%v of %s", long, strings.TrimPrefix(o.fault, "kind: ")), func(t *testing.T) {
				t.Parallel()
				run := replay(t, local.Options{Scenario: read(t, fmt.Sprintf(outage, long, o.fault), 5)})
				over := 10*time.Minute + long
				survived(t, run, over, 4*time.Hour)
				sparing(t, run, over-long, over, o.doubt)
				paced(t, run, over)
			})
		}
	}
}

// TestIncidentsOfTheProvider: outages that were, told by the hour, of a provider that answers with 131016 and of one that is
// not there. What is valid arrives, once.
func TestIncidentsOfTheProvider(t *testing.T) {
	for _, c := range []struct {
		file     string
		variants []string
		over     time.Duration // when the provider works again
		validity time.Duration
	}{
		{"kustomer-2026-06-12", []string{"hardened"}, 4*time.Hour + 48*time.Minute, 4 * time.Hour},
		{"meta-2021-10-04", []string{"hardened"}, 6*time.Hour + 35*time.Minute, 4 * time.Hour},
		{"meta-2021-10-04", []string{"otp"}, 6*time.Hour + 35*time.Minute, 10 * time.Minute},
	} {
		t.Run(c.file+" "+c.variants[0], func(t *testing.T) {
			t.Parallel()
			s := open(t, "testdata/incidents/"+c.file+".yaml", scenarios.Options{Variants: c.variants})
			survived(t, replay(t, local.Options{Scenario: s}), c.over, c.validity)
		})
	}
}

// survived demands of what was still valid a minute after the outage that it arrived, of the rest that it expired, and of
// everything that it came once.
func survived(t *testing.T, run *record.Run, over, validity time.Duration) {
	t.Helper()
	var valid, arrived int
	for _, m := range run.Messages {
		if m.Copies > 1 {
			t.Errorf("%s was taken %d times, because of %v", m.ID, m.Copies, m.Causes)
		}
		if m.Outcome != record.Delivered && (m.Outcome != record.Expired || !strings.HasPrefix(m.Reason, "validity")) {
			t.Errorf("%s ended as %s: %s", m.ID, m.Outcome, m.Reason)
		}
		if m.Scheduled+validity > over+time.Minute {
			valid++
			if m.Outcome == record.Delivered {
				arrived++
			}
		}
	}
	if float64(arrived) < 0.999*float64(valid) {
		t.Errorf("of %d messages that were valid when it was over %d arrived", valid, arrived)
	}
}

// sparing demands that few attempts were made while the provider was out, and that those in doubt were fewer still.
func sparing(t *testing.T, run *record.Run, from, to time.Duration, doubt bool) {
	made := 0
	for a, err := range record.Attempts(run.Dir) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Hop == "send" && a.At > from+time.Minute && a.At < to {
			made++
		}
	}
	most := int((to - from) / (10 * time.Second))
	if doubt {
		most = int((to - from) / (20 * time.Second))
	}
	if made == 0 || made > most {
		t.Errorf("%d attempts while the provider was out, want 1 to %d", made, most)
	}
}

// paced demands that the first minute after the outage is no herd.
func paced(t *testing.T, run *record.Run, over time.Duration) {
	n := 0
	for a, err := range record.Attempts(run.Dir) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Hop == "api" && a.At >= over && a.At < over+time.Minute {
			n++
		}
	}
	if n > 6*30 { // twice what comes in, and twice that after half a minute
		t.Errorf("%d calls in the first minute", n)
	}
}

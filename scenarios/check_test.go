package scenarios_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// senderSettings stands in for the sender's own settings.
type senderSettings struct {
	Preset string `yaml:"preset"`
	Drafts struct {
		RateLimit quantity.Rate `yaml:"rate_limit"`
	} `yaml:"drafts"`
	WhatsApp struct {
		Replicas struct {
			Min   int           `yaml:"min"`
			Max   int           `yaml:"max"`
			Start quantity.Dist `yaml:"start"`
		} `yaml:"replicas"`
	} `yaml:"whatsapp"`
}

func checkSender(file string, yaml []byte) error {
	var s senderSettings
	if err := strict.Decode(file, yaml, &s); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "incident", "mitigated", "hardened"}, s.Preset) {
		return strict.Errors{{Key: "preset", Problem: strconv.Quote(s.Preset) + " is not a preset", Hint: "did you mean " + strict.Suggest(s.Preset, []string{"incident", "mitigated", "hardened"}) + "?"}}
	}
	if r := s.WhatsApp.Replicas; r.Max != 0 && r.Max < r.Min {
		return fmt.Errorf("%s: whatsapp.replicas.max: %d is below min %d", file, r.Max, r.Min)
	}
	return nil
}

func checkWhatsApp(file string, yaml []byte) error {
	var s struct {
		Latency quantity.Dist `yaml:"latency"`
		Media   struct {
			UploadLife time.Duration `yaml:"upload_life"`
		} `yaml:"media"`
	}
	return strict.Decode(file, yaml, &s)
}

func checkFault(yaml []byte) error {
	var s struct {
		Kind  string        `yaml:"kind"`
		Where string        `yaml:"where"`
		Add   quantity.Dist `yaml:"add"`
	}
	return strict.Decode("", yaml, &s)
}

func checkMetric(name string) error {
	known := []string{"messages.lost", "delivery_time.p50", "delivery_time.p99"}
	if slices.Contains(known, name) {
		return nil
	}
	if s := strict.Suggest(name, known); s != "" {
		return fmt.Errorf("there is no metric %q: did you mean %q?", name, s)
	}
	return fmt.Errorf("there is no metric %q", name)
}

var blocks = scenarios.Blocks{Sender: checkSender, WhatsApp: checkWhatsApp, Fault: checkFault, Metric: checkMetric}

// TestCheck runs the transcripts in testdata/check: a file goes in, every complaint about it comes out. Before a file,
// "file name=x.yaml" puts others beside it.
func TestCheck(t *testing.T) {
	cases := 0
	datadriven.Walk(t, "testdata/check", func(t *testing.T, path string) {
		dir := t.TempDir()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "file":
				var name string
				d.ScanArgs(t, "name", &name)
				if err := os.WriteFile(filepath.Join(dir, name), []byte(d.Input), 0o600); err != nil {
					t.Fatal(err)
				}
				return ""
			case "check", "show":
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			cases++
			o := scenarios.Options{Blocks: blocks, Set: map[string]string{}}
			for _, a := range d.CmdArgs {
				switch a.Key {
				case "variant":
					o.Variants = append(o.Variants, a.Vals...)
				case "preset":
					o.Preset = a.Vals[0]
				case "set":
					o.Set[a.Vals[0]] = a.Vals[1]
				}
			}
			file := filepath.Join(dir, "x.yaml")
			if err := os.WriteFile(file, []byte(d.Input), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := scenarios.Open(file, o)
			if err != nil {
				if _, ok := errors.AsType[*strict.Error](err); !ok {
					t.Errorf("%T", err)
				}
				return strings.ReplaceAll(err.Error(), dir+"/", "") + "\n"
			}
			if d.Cmd == "show" {
				return string(s.YAML())
			}
			return "ok\n"
		})
	})
	if cases < 40 {
		t.Errorf("%d cases: where have they gone?", cases)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aftershock-dev/aftershock/internal/strict"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/scenarios/intake"
)

// importKey is the environment variable that may hold the key of the hash.
const importKey = "AFTERSHOCK_IMPORT_KEY"

// importFlags are the flags of scenario import, as they were given.
type importFlags struct {
	as, out, format, match, zone, from, to, keyFile string
	fields                                          map[string]string
	allowBad                                        string
	unique, exact, force                            bool
}

func newScenarioImportCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a scenario from a log of what happened",
		Long: `Reads a log once and writes NAME.yaml, a scenario that replays it, and NAME.csv, the trace of its messages. It reads
CSV or JSON lines with a time in each, access logs (common, combined, JSON), and the answer of a Prometheus range query, which
becomes phases instead of a trace. FILE may be compressed by gzip, and - is standard input.

Recipients and keys are replaced by keyed hashes; texts are never read. The key comes from ` + importKey + ` or
--key-file; without one a random key is used and thrown away. Lines that cannot be read are counted and the first of them named.`,
		Example: `  aftershock scenario import messages.csv --field time=created_at --field to=phone --as june-surge
  aftershock scenario import access.log.gz --match '^POST /v1/messages' --as june-surge
  curl -s 'http://prometheus:9090/api/v1/query_range?query=sum(rate(sent_total[1m]))&start=…&end=…&step=15' |
    aftershock scenario import - --as june-surge`,
		Args: exactlyOne("a log: a file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.as, "as", "", "the scenario's name (default: that of the log)")
	fl.StringVar(&f.out, "out", ".", "folder to write to")
	fl.StringVar(&f.format, "format", "", "csv, jsonl, common, combined, json or prometheus (default: recognised)")
	fl.StringToStringVar(&f.fields, "field", nil, "where to find time, to, type, size, key, method or path: time=created_at (repeatable)")
	fl.StringVar(&f.match, "match", "^POST ", `access logs: the requests that are messages, a regular expression over "METHOD path"`)
	fl.StringVar(&f.zone, "zone", "UTC", "time zone of times written without one, such as Europe/Berlin")
	fl.StringVar(&f.from, "from", "", "leave out what came before: 2025-06-06T13:00:00-04:00")
	fl.StringVar(&f.to, "to", "", "leave out what came from here on")
	fl.StringVar(&f.keyFile, "key-file", "", "file with the key of the hash that hides people")
	fl.BoolVar(&f.unique, "unique", false, "take a key that was seen before for a retry, and leave it out")
	fl.BoolVar(&f.exact, "exact", false, "keep times of whole seconds as they are, instead of spreading the messages of a second over it")
	fl.StringVar(&f.allowBad, "allow-bad", "1%", "the share of lines that may be unreadable")
	fl.BoolVar(&f.force, "force", false, "write over files that are there")
	return cmd
}

func (f *importFlags) run(cmd *cobra.Command, file string) error {
	o, name, allow, err := f.options(file)
	if err != nil {
		return usageError(err)
	}
	scenario, trace := filepath.Join(f.out, name+".yaml"), filepath.Join(f.out, name+".csv")
	for _, path := range []string{scenario, trace} {
		if !f.force && exists(path) {
			return usageError(fmt.Errorf("%s is there already\nhint: choose another --as, or --force", path))
		}
	}
	in := io.ReadCloser(os.Stdin)
	if file != "-" {
		if in, err = os.Open(file); err != nil {
			return usageError(err)
		}
		defer in.Close()
	}
	tmp, err := os.CreateTemp(f.out, "."+name+"-*.csv")
	if err != nil {
		return exitWith(exitCouldNotRun, err)
	}
	defer os.Remove(tmp.Name()) // nothing is left when it was renamed
	defer tmp.Close()
	o.Temp = f.out
	// Logs are long and every line leaves garbage: collected often, it stays small (main collects seldom).
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	r, err := intake.Import(cmd.Context(), in, tmp, o)
	switch {
	case errors.Is(err, context.Canceled):
		return exitWith(exitInterrupted, errors.New("interrupted; nothing was written"))
	case err != nil:
		return usageError(fmt.Errorf("%s: %w%s", file, err, importHint(err)))
	}
	f.complain(cmd.ErrOrStderr(), file, r)
	if share := float64(r.Bad) / float64(max(1, r.Lines)); share > float64(allow) {
		return usageError(fmt.Errorf("%s: %s of the lines could not be read, more than %s; nothing was written\nhint: --format, --field and --zone say how to read it; --allow-bad 100%% takes what can be read",
			file, quantity.Share(share), allow))
	}
	if err := f.keep(r, name, file, scenario, trace, tmp); err != nil {
		return exitWith(exitCouldNotRun, err)
	}
	f.report(cmd.OutOrStdout(), r, scenario, trace)
	return nil
}

// keep gives the files their names: the trace first, the scenario when all is there.
func (f *importFlags) keep(r intake.Result, name, file, scenario, trace string, tmp *os.File) error {
	text, err := r.Scenario(name, filepath.Base(file), filepath.Base(trace))
	if err != nil {
		return err
	}
	if _, err := scenarios.Read(scenario, text, scenarios.Options{Blocks: blocks()}); err != nil {
		return fmt.Errorf("the scenario made from it is wrong: %w", err)
	}
	if len(r.Phases) == 0 {
		if err := errors.Join(tmp.Chmod(0o644), tmp.Close(), os.Rename(tmp.Name(), trace)); err != nil {
			return err
		}
	}
	return writeWhole(scenario, text)
}

// writeWhole writes a file that is there whole or not at all.
func writeWhole(file string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".aftershock-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // nothing is left when it was renamed
	_, err = tmp.Write(data)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

// importHint adds what usually helps.
func importHint(err error) string {
	if _, ok := errors.AsType[*intake.FieldError](err); ok {
		return "\nhint: --field time=COLUMN says which one it is"
	}
	return ""
}

// complain tells what was not taken.
func (f *importFlags) complain(out io.Writer, file string, r intake.Result) {
	for _, b := range r.First {
		fmt.Fprintf(out, "%s:%d: %s\n", file, b.Line, b.Problem)
	}
	if more := r.Bad - int64(len(r.First)); more > 0 {
		fmt.Fprintf(out, "%s: and %s more lines that could not be read\n", file, thousands(int(more)))
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Unknown)) {
		fmt.Fprintf(out, "%s: type %q of %s messages is none of the Cloud API's: the scenario's mix decides\n", file, kind, thousands(int(r.Unknown[kind])))
	}
}

func (f *importFlags) report(out io.Writer, r intake.Result, scenario, trace string) {
	peak, at := r.Shape.Peak()
	fmt.Fprintf(out, "%s messages from %s on, over %s\n", thousands(int(r.Messages)), r.Start.Format(time.RFC3339), strict.Duration(r.Span.Round(time.Second)))
	fmt.Fprintf(out, "%s in an ordinary minute, %s in the fullest, at %s UTC\n", thousands(r.Shape.Median()), thousands(peak),
		r.Start.Add(time.Duration(at)*time.Minute).Format("15:04"))
	if r.Format == "prometheus" {
		fmt.Fprintf(out, "%s values read, %s bad: %d phases follow them within 3%% of the peak\n", thousands(int(r.Lines)), thousands(int(r.Bad)), len(r.Phases))
	} else {
		fmt.Fprintf(out, "%s lines read as %s: %s messages, %s about something else, %s repeated, %s bad\n", thousands(int(r.Lines)), r.Format,
			thousands(int(r.Messages)), thousands(int(r.Other)), thousands(int(r.Repeated)), thousands(int(r.Bad)))
		if r.Spread {
			fmt.Fprintln(out, "the log knows whole seconds alone: the messages of a second are spread evenly over it (--exact keeps them)")
		}
		fmt.Fprintf(out, "wrote %s\n", trace)
	}
	fmt.Fprintf(out, "wrote %s\nnext: aftershock run %s\n", scenario, scenario)
}

func (f *importFlags) options(file string) (o intake.Options, name string, allow quantity.Share, err error) {
	o = intake.Options{Format: f.format, Fields: f.fields, Unique: f.unique, Exact: f.exact}
	if name = f.as; name == "" {
		name = strings.TrimSuffix(filepath.Base(file), ".gz")
		name = strings.Trim(strings.TrimSuffix(name, filepath.Ext(name)), ".-")
		if name = plainName.ReplaceAllString(name, "-"); name == "" {
			name = "imported"
		}
	}
	if plainName.MatchString(name) {
		return o, "", 0, fmt.Errorf("--as %q: use letters, digits, dots and dashes", name)
	}
	for what := range f.fields {
		if known := []string{"time", "to", "type", "size", "key", "method", "path"}; !slices.Contains(known, what) {
			hint := "there are " + strings.Join(known, ", ")
			if s := strict.Suggest(what, known); s != "" {
				hint = "did you mean " + s + "?"
			}
			return o, "", 0, fmt.Errorf("--field %s=…: %s", what, hint)
		}
	}
	if o.Match, err = regexp.Compile(f.match); err != nil {
		return o, "", 0, fmt.Errorf("--match: %w", err)
	}
	if o.Zone, err = time.LoadLocation(f.zone); err != nil {
		return o, "", 0, fmt.Errorf("--zone: %w", err)
	}
	for flag, t := range map[string]struct {
		text string
		into *time.Time
	}{"from": {f.from, &o.From}, "to": {f.to, &o.To}} {
		if t.text == "" {
			continue
		}
		if *t.into, err = time.Parse(time.RFC3339, t.text); err != nil {
			return o, "", 0, fmt.Errorf("--%s %q: write it with its offset, as in 2025-06-06T13:00:00-04:00", flag, t.text)
		}
	}
	if o.Key, err = f.key(); err != nil {
		return o, "", 0, err
	}
	if allow, err = quantity.ParseShare(f.allowBad); err != nil {
		return o, "", 0, fmt.Errorf("--allow-bad: %w", err)
	}
	return o, name, allow, nil
}

var plainName = regexp.MustCompile(`[^A-Za-z0-9._-]+|^[._-]+`)

// key reads the key of the hash; none is fine.
func (f *importFlags) key() ([]byte, error) {
	if f.keyFile == "" {
		return []byte(os.Getenv(importKey)), nil
	}
	b, err := os.ReadFile(f.keyFile)
	if err == nil && len(strings.TrimSpace(string(b))) < 16 {
		err = fmt.Errorf("%s: the key has less than 16 characters", f.keyFile)
	}
	return b, err
}

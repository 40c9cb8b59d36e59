// Command agreement runs scenarios in virtual time, on the wall's clock, in processes and, when an engine answers, in
// containers, and prints their figures side by side: the tables of docs/agreement.md.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/reports"
)

// trial is one scenario with the factor by which its time is squeezed where time is real.
type trial struct {
	name     string
	args     []string
	compress float64
	edge     bool // chance decides much of it: other seeds are run in processes, too
}

var trials = []trial{
	{"smoke", []string{"smoke"}, 10, false},
	{"reply-lost, with the incident's sender", []string{"reply-lost", "--variant", "incident"}, 20, false},
	{"surge", []string{"internal/agreement/surge.yaml"}, 30, true},
}

// world is an environment and how it is asked for.
type world struct {
	name string
	args []string
	real bool
}

var worlds = []world{
	{"virtual", nil, false},
	{"wall", []string{"--clock", "wall"}, true},
	{"processes", []string{"--env", "processes"}, true},
	{"containers", []string{"--env", "containers"}, true},
}

func main() {
	program := flag.String("aftershock", "./aftershock", "the program to run")
	dir := flag.String("out", "", "keep the runs here (default: a temporary folder, removed)")
	theirs := flag.Bool("senders", false, "the senders of examples/ in real time and squeezed, and nothing else; runs that -out holds already are not made again")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *theirs {
		if err := runSenders(ctx, os.Stdout, *program, *dir); err != nil {
			fmt.Fprintln(os.Stderr, "agreement:", err)
			os.Exit(1)
		}
		return
	}
	chosen := worlds
	if !engine(ctx) {
		fmt.Fprintln(os.Stderr, "agreement: no Docker engine answers, so there will be no column for containers")
		chosen = worlds[:3]
	}
	if err := run(ctx, os.Stdout, *program, *dir, chosen); err != nil {
		fmt.Fprintln(os.Stderr, "agreement:", err)
		os.Exit(1)
	}
}

// otherSeeds is how many seeds more are replayed, in virtual time and on the edge in processes, too: what chance alone
// changes, another clock may change as well.
const otherSeeds = 6

// engine reports whether a Docker engine answers.
func engine(ctx context.Context) bool { return exec.CommandContext(ctx, "docker", "info").Run() == nil }

func run(ctx context.Context, out io.Writer, program, dir string, chosen []world) error {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "agreement-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	for _, t := range trials {
		var all []reports.Summary
		for _, w := range chosen {
			s, err := t.in(ctx, w, program, dir)
			if err != nil {
				return fmt.Errorf("%s in %s: %w", t.name, w.name, err)
			}
			all = append(all, s)
		}
		var spreads []spread
		for _, w := range chosen {
			if w.name != "virtual" && !(t.edge && w.name == "processes") {
				continue
			}
			s := spread{name: w.name}
			for n := 1; n <= otherSeeds; n++ {
				seed := strconv.Itoa(n)
				r, err := t.in(ctx, world{w.name + "-seed-" + seed, append([]string{"--seed", seed}, w.args...), w.real}, program, dir)
				if err != nil {
					return fmt.Errorf("%s in %s with seed %s: %w", t.name, w.name, seed, err)
				}
				s.runs = append(s.runs, r)
			}
			spreads = append(spreads, s)
		}
		fmt.Fprintf(out, "### %s (real time %s times as fast)\n\n%s\n", t.name, strconv.FormatFloat(t.compress, 'g', -1, 64), table(chosen, all, spreads))
	}
	return nil
}

// in runs the trial in a world. Exit codes of thresholds and of runs that cannot be trusted are results too.
func (t trial) in(ctx context.Context, w world, program, dir string) (reports.Summary, error) {
	word, _, _ := strings.Cut(t.name, ",")
	args := slices.Concat([]string{"run"}, t.args, []string{"--ui", "none", "-o", "json", "--out", filepath.Join(dir, word+"-"+w.name)}, w.args)
	if w.real {
		args = append(args, "--compress", strconv.FormatFloat(t.compress, 'g', -1, 64))
	}
	fmt.Fprintf(os.Stderr, "%s %s\n", program, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it takes its parts down
	cmd.WaitDelay = time.Minute
	var text, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == 3 || exit.ExitCode() == 99) {
		err = nil
	}
	if err != nil {
		return reports.Summary{}, fmt.Errorf("%w\n%s", err, errs.Bytes())
	}
	var s reports.Summary
	return s, json.Unmarshal(text.Bytes(), &s)
}

// line is one figure of the table.
type line struct {
	name  string
	value func(s reports.Summary) float64
	show  func(v float64) string
}

func count(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }
func times(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
func millis(v float64) string {
	if v > 1e12 { // what was never delivered
		return "never"
	}
	return (time.Duration(v * float64(time.Millisecond))).Round(time.Millisecond).String()
}

var lines = []line{
	{"offered", func(s reports.Summary) float64 { return float64(s.Messages.Offered) }, count},
	{"delivered", func(s reports.Summary) float64 { return float64(s.Messages.Delivered) }, count},
	{"shed", func(s reports.Summary) float64 { return float64(s.Messages.Shed) }, count},
	{"expired", func(s reports.Summary) float64 { return float64(s.Messages.Expired) }, count},
	{"failed", func(s reports.Summary) float64 { return float64(s.Messages.Failed) }, count},
	{"pending", func(s reports.Summary) float64 { return float64(s.Messages.Pending) }, count},
	{"lost", func(s reports.Summary) float64 { return float64(s.Messages.Lost) }, count},
	{"copies too many", func(s reports.Summary) float64 { return float64(s.Duplicates.Copies) }, count},
	{"… by client_retry", func(s reports.Summary) float64 { return float64(s.Duplicates.ByCause.ClientRetry) }, count},
	{"… by create_retry", func(s reports.Summary) float64 { return float64(s.Duplicates.ByCause.CreateRetry) }, count},
	{"… by send_retry", func(s reports.Summary) float64 { return float64(s.Duplicates.ByCause.SendRetry) }, count},
	{"… by redelivery", func(s reports.Summary) float64 { return float64(s.Duplicates.ByCause.Redelivery) }, count},
	{"amplification", func(s reports.Summary) float64 { return s.Attempts.Amplification }, times},
	{"delivery p50", func(s reports.Summary) float64 { return float64(s.Delivery.P50) }, millis},
	{"delivery p99", func(s reports.Summary) float64 { return float64(s.Delivery.P99) }, millis},
	{"lateness p99", func(s reports.Summary) float64 { return s.Harness.LatenessMS.P99 }, millis},
}

// spread is one world's runs of other seeds.
type spread struct {
	name string
	runs []reports.Summary
}

// table sets the worlds side by side, each with its difference from the first, and at the end what other seeds do. Rows
// without anything are left out.
func table(worlds []world, all []reports.Summary, spreads []spread) string {
	var b strings.Builder
	b.WriteString("| |")
	for _, w := range worlds {
		b.WriteString(" " + w.name + " |")
	}
	for _, s := range spreads {
		fmt.Fprintf(&b, " %s, seeds 1 to %d |", s.name, len(s.runs))
	}
	fmt.Fprintf(&b, "\n|---%s|\n", strings.Repeat("|--:", len(worlds)+len(spreads)))
	for _, l := range lines {
		row, any := "| "+l.name+" |", false
		for i, s := range all {
			v := l.value(s)
			any = any || v != 0
			row += " " + l.show(v) + difference(l.value(all[0]), v, i) + " |"
		}
		for _, s := range spreads {
			row += " " + l.spread(s.runs) + " |"
		}
		if any {
			b.WriteString(row + "\n")
		}
	}
	b.WriteString("| believable |")
	for _, s := range all {
		b.WriteString(" " + believable(s) + " |")
	}
	for _, s := range spreads {
		b.WriteString(" " + believable(s.runs...) + " |")
	}
	return b.String() + "\n"
}

// believable tells whether some runs can be believed, by their own word.
func believable(runs ...reports.Summary) string {
	doubted := 0
	for _, r := range runs {
		if r.Verdict == reports.Invalid {
			doubted++
		}
	}
	switch {
	case doubted == 0:
		return "yes"
	case doubted < len(runs):
		return fmt.Sprintf("%d of %d", len(runs)-doubted, len(runs))
	}
	return "no"
}

// spread is a figure's least and greatest value.
func (l line) spread(all []reports.Summary) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range all {
		v := l.value(s)
		low, high = min(low, v), max(high, v)
	}
	if low == high {
		return l.show(low)
	}
	return l.show(low) + " – " + l.show(high)
}

// difference says how far a value is from that of virtual time.
func difference(base, v float64, column int) string {
	if column == 0 || base == 0 || v == base {
		return ""
	}
	return fmt.Sprintf(" (%+.1f %%)", (v-base)/base*100)
}

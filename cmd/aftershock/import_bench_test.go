//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// importLines is how long the logs of BenchmarkImport are.
const importLines = 10_000_000

// importMost is what the command may hold in memory while it reads one of them.
const importMost = 200 << 20

// BenchmarkImport reads logs of ten million lines, each line another message, and fails when the command needs more
// memory than it may.
func BenchmarkImport(b *testing.B) {
	start := time.Date(2025, 6, 6, 13, 0, 0, 0, time.UTC)
	at := func(i int) time.Time { return start.Add(time.Duration(i) * 8 * time.Hour / importLines) }
	for _, log := range []struct {
		name string
		line func(out io.Writer, i int)
		args []string
	}{
		{"access", func(out io.Writer, i int) {
			fmt.Fprintf(out, "203.0.113.%d - - [%s] \"POST /v1/messages HTTP/1.1\" 202 17 \"-\" \"agent/%d\"\n", i%250, at(i).Format("02/Jan/2006:15:04:05 -0700"), i%97)
		}, nil},
		{"json-unique", func(out io.Writer, i int) {
			fmt.Fprintf(out, "{\"ts\":%q,\"to\":\"+1555%07d\",\"type\":\"image\",\"size\":2048,\"id\":\"order-%d\"}\n", at(i).Format(time.RFC3339Nano), i*7919%9_999_991, i)
		}, []string{"--unique"}},
		{"csv", func(out io.Writer, i int) {
			fmt.Fprintf(out, "%d,+1555%07d,text\n", at(i).UnixMilli(), i*7919%9_999_991)
		}, nil},
	} {
		b.Run(log.name, func(b *testing.B) {
			for range b.N {
				rss := importOnce(b, log.args, log.line)
				b.ReportMetric(float64(rss)/(1<<20), "peak-MiB")
				if rss > importMost {
					b.Errorf("it held %d MiB", rss>>20)
				}
			}
			b.ReportMetric(float64(b.N)*importLines/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// importOnce pipes a log into the command and returns the most memory that it held.
func importOnce(b *testing.B, args []string, line func(out io.Writer, i int)) int64 {
	b.Helper()
	dir := b.TempDir()
	cmd := exec.CommandContext(b.Context(), "aftershock", append([]string{"scenario", "import", "-", "--as", "long", "--out", dir}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(in, 1<<16)
	for i := range importLines {
		line(w, i)
	}
	if err := w.Flush(); err != nil {
		b.Error(err)
	}
	in.Close()
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "10,000,000 messages, 0 about something else, 0 repeated, 0 bad") {
		b.Fatalf("%v\n%s", err, out.String())
	}
	rss := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if runtime.GOOS == "darwin" {
		return int64(rss) // bytes there, KiB elsewhere
	}
	return int64(rss) << 10
}

package reports

import (
	"bytes"
	"fmt"
)

// MetricsMarkdown is docs/metrics.md: the table of metrics for people.
func MetricsMarkdown() []byte {
	var b bytes.Buffer
	b.WriteString(`# Metrics

Every number of a report is one row of this table, and every row can stand in a threshold. The table is made from the
code (` + "`go generate ./reports`" + `); a metric that is not in it does not exist.

A metric is a pure function of a run's record and of a window. The window is the whole run unless a threshold says
` + "`during:`" + ` a phase (` + "`drain`" + ` is the time after the load) or ` + "`from:`" + ` and ` + "`to:`" + `. Messages belong to a window by the instant they were
*due*, attempts by the instant they began, counters by how much they rose in it. Percentiles are nearest-rank: values that
were measured, never means of other percentiles. All times are scenario time, whatever ` + "`--compress`" + ` did to the clock, except
` + "`lateness`" + `, which is about the machine.

How limits are written: ` + "`> 10m`" + ` for ` + "`s`" + `, ` + "`== 0`" + ` for ` + "`count`" + `, ` + "`<= 5%`" + ` for ` + "`share`" + `, ` + "`>= 1.5`" + ` for ` + "`x`" + `, ` + "`< 400/min`" + ` for ` + "`per_min`" + `,
` + "`<= 512MiB`" + ` for ` + "`bytes`" + `, ` + "`== true`" + ` for ` + "`bool`" + `; ` + "`between 0.1% and 10%`" + ` for both sides; ` + "`<= +10%`" + ` or ` + "`<= +2s`" + ` against a baseline. With
` + "`for: 5m`" + ` the criterion must hold, minute by minute, for five minutes on end; with ` + "`within: 30m`" + ` it is judged over what follows
` + "`from`" + ` by half an hour, until the end of the load. A threshold without data is invalid, never met.

The tier says how a comparison treats a metric in virtual time: ` + "`exact`" + ` counts of harm may not get worse at all and other
counts not by 5 %, ` + "`timing`" + ` not by 5 %, ` + "`machine`" + ` is not compared. On the wall clock all are tested statistically.

| metric | unit | better | tier | meaning |
|---|---|---|---|---|
`)
	for _, m := range Metrics() {
		doc := m.Doc
		if m.Whole {
			doc += " (of the whole run)"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Unit, m.Better, m.Tier, markdownText(doc))
	}
	return b.Bytes()
}

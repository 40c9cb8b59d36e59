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
` + "`for: 5m`" + ` the criterion must hold for the metric taken over *every* five minutes of the window (they begin a minute apart); with
` + "`some: 5m`" + ` it must hold, minute by minute, for five minutes on end at some time. With ` + "`within: 30m`" + ` it is judged over what follows
` + "`from`" + ` by half an hour, until the end of the load.

A threshold without data is invalid, never met; so is a percentile of too few values: p50 needs 2, p90 10, p95 20, p99 100 and p99.9
1,000 of them. The worst (` + "`max`" + `) needs one.

A message that is never delivered waits forever: ` + "`delivery_time.*`" + ` counts it, and is *never* where so many never arrived, in
summary.json ` + "`null`" + `. ` + "`delivered.within(30s)`" + ` is the share of what was due that arrived in that time, whatever became of the rest; any
duration may stand between the brackets. ` + "`delay.total`" + ` is a sum and knows delivered messages only.

Nothing is passed over. A threshold *looks at* an outcome when enough messages that come to it break the threshold:

| metrics | look at, among the messages due in the window |
|---|---|
| ` + "`messages.X`, `messages.X.rate`" + ` | the outcome X |
| ` + "`messages.delivered`, `messages.delivered.rate`, `delivered.within(…)`, `delivery_time.max`" + ` | every outcome but delivered |
| ` + "`delivery_time.p…`" + ` | the same, if what the percentile lets pass is no more than the scenario's ` + "`overlook`" + `: p99.9 by default, and not p99 |
| ` + "`messages.harmed`, `messages.harmed.rate`" + ` | every outcome but delivered, and duplicates |
| ` + "`messages.ended_badly`" + ` | the outcomes that it counts |
| ` + "`media.expired`" + ` | expired, of messages that carry media |
| ` + "`duplicates.messages`, `duplicates.copies`, `duplicates.rate`" + ` | duplicates |

A threshold that only warns, one that says ` + "`some`" + `, and in a promise one that holds whatever happens look at nothing. When more than
` + "`overlook`" + ` of a run's messages (0.1 %) came to an outcome, or were duplicated, and no threshold looked at it, the run is invalid and names it.

The tier says how a comparison treats a metric in virtual time: ` + "`exact`" + ` counts of harm may not get worse at all and other
counts not by 5 %, ` + "`timing`" + ` not by 5 %, ` + "`machine`" + ` is not compared. On the wall clock a short list is tested ([ci.md](ci.md#baselines)).

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

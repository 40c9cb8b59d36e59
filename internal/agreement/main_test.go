package main

import (
	"testing"

	"github.com/aftershock-dev/aftershock/reports"
)

func TestTable(t *testing.T) {
	var a, b reports.Summary
	a.Messages.Offered, a.Messages.Delivered, a.Delivery.P50 = 100, 80, 1500
	b.Messages.Offered, b.Messages.Delivered, b.Delivery.P50, b.Verdict = 100, 76, 1800, reports.Invalid
	c := a
	c.Messages.Delivered = 78
	got := table(worlds[:2], []reports.Summary{a, b}, []spread{{"virtual", []reports.Summary{a, c}}, {"processes", []reports.Summary{b, c, c}}})
	want := `| | virtual | wall | virtual, seeds 1 to 2 | processes, seeds 1 to 3 |
|---|--:|--:|--:|--:|
| offered | 100 | 100 | 100 | 100 |
| delivered | 80 | 76 (-5.0 %) | 78 – 80 | 76 – 78 |
| delivery p50 | 1.5s | 1.8s (+20.0 %) | 1.5s | 1.5s – 1.8s |
| believable | yes | no | yes | 2 of 3 |
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

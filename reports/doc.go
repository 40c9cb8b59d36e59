// Package reports turns a record into numbers and a verdict: text, JSON, HTML, Markdown, JUnit, plots.
//
// Start with Open, which builds a Report from a run's folder, and Report.Write, which leaves every document there. A number is
// one row of the table in metrics.go; everything that shows numbers, the thresholds included, takes them from it.
//
// To add a number: write a function of (Measured, Window) in metric_messages.go or metric_gauges.go, add its row to
// Metrics, run go generate ./reports. To add a document: one row in documents (write.go). To add a picture: one function
// and its name in figures (figures.go). Then go test -update ./reports and look at what changed.
package reports

//go:generate go test -run TestGeneratedDocs -update .

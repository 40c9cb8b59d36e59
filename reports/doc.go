// Package reports turns a record into numbers and a verdict: text, JSON, HTML, Markdown, JUnit, plots.
//
// Start with Open, which builds a Report from a run's folder, and Report.Write, which leaves every document there. A number is
// one row of the table in metrics.go; everything that shows numbers, the thresholds included, takes them from it.
package reports

//go:generate go test -run TestGeneratedDocs -update .

// Package gate holds the ways to be green while something is wrong, and the right answer of each: `make gate` tries them.
//
// A file in testdata is a scenario, and a row of the table in gate_test.go says what a run of it has to come to. A new way
// is one file and one row.
package gate

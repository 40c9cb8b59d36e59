// Package sweep makes many runs: grids of settings, seeds, combinations of variants, and bisections.
//
// A Sweep plans its jobs, runs them side by side and keeps what each came to in runs.jsonl, so that a sweep that was
// interrupted goes on where it stopped. reports turns the result into a map, a front and words.
package sweep

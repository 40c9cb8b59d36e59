// Package agent spreads the load of one run over several load generators: a Team of Workers that meet over NATS, each
// sending a share of the arrivals. They start together, and what they saw is merged exactly: every message is told of
// once, and an agent that dies makes the run invalid.
package agent

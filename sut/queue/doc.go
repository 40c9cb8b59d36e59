// Package queue holds the drafts that wait to be dispatched: one Queue interface, kept in memory or in NATS JetStream.
//
// Start with Queue and Claim; NewMemory and OpenJetStream make one. Both engines pass one contract suite
// (contract_test.go), in virtual time and on the wall clock. README.md tells what JetStream's engine does about each
// known trouble of JetStream.
package queue

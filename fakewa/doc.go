// Package fakewa is a WhatsApp Cloud API that answers, slows down and breaks on purpose.
//
// Start with NewServer: the Server is an http.Handler that serves the Graph API, and its Control method gives the doors
// that put faults in and read the ledger. Run sends the webhooks. Underneath, Core decides what happens to a request
// without a clock, a goroutine or a socket; Server does what was decided.
package fakewa

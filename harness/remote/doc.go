// Package remote assembles a system from parts that an Engine runs elsewhere, as processes or as containers, and reaches
// it over HTTP: the fake, Drafts, and WhatsApp replicas behind a balancer, scaled by the same rule as in virtual time.
// Build returns the System; harness/local/proc and harness/docker bring the engines.
package remote

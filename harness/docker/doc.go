// Package docker runs the system in containers of one network: the fake, Drafts, WhatsApp replicas behind a balancer,
// and NATS, each made from an image that holds our static binary and nothing else. Build is where to start. No registry
// is needed; someone else's sender may come from any image.
package docker

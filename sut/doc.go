// Package sut is the reference sender: a WhatsApp service and a Drafts service wired together.
//
// Start with Config (Preset, ParseConfig) and Sender (New, Run). A preset is a whole configuration: incident is the
// sender as it was on the day, mitigated as it was repaired, hardened as it should have been; every policy between them
// is a switch of its own.
package sut

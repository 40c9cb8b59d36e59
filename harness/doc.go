// Package harness runs one scenario against one system and writes the record.
package harness

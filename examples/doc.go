// Package examples holds senders of one's own that runs drive as they are: each in a folder with its scenario.
package examples

// Package quiet keeps bubbletea from asking the terminal for its background when the program starts.
//
// Bubbletea asks in an init function, so every command that is merely linked with it would write an escape sequence
// to the terminal and wait for the answer: up to five seconds where there is none. Answering for the terminal first
// stops that. Packages are initialised in the order of their import paths once what they import is initialised, so
// this one, which imports lipgloss alone and sorts before bubbletea, always comes first; a test in package dash
// watches a terminal to see that it stays so.
package quiet

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) }

package strict

import (
	"bytes"

	"github.com/goccy/go-yaml/token"
)

// The parser's memory grows with the square of how deep a file nests, so depth is looked at before it is called: first
// the bytes, where a line of "- - - -" or "[[[[" costs nothing to refuse, then the tokens.

// deepLine returns the first line that opens more than maxDepth blocks before its first word, or 0.
func deepLine(data []byte) int {
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		opened := 0
		for i, c := range line {
			if c == '[' || c == '{' || (c == '-' || c == '?') && i+1 < len(line) && line[i+1] == ' ' {
				opened++
			} else if c != ' ' {
				break
			}
		}
		if opened > maxDepth {
			return n
		}
		data = rest
	}
	return 0
}

// deepToken returns the first token that lies inside more than maxDepth blocks, or nil.
func deepToken(tokens token.Tokens) *token.Token {
	flow := 0
	var columns []int // of the blocks that are open
	for i, t := range tokens {
		column := 0
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType:
			column = t.Position.Column
		case token.MappingValueType:
			if i > 0 {
				column = tokens[i-1].Position.Column
			}
		}
		if column > 0 && flow == 0 {
			for len(columns) > 0 && columns[len(columns)-1] > column {
				columns = columns[:len(columns)-1]
			}
			if len(columns) == 0 || columns[len(columns)-1] < column {
				columns = append(columns, column)
			}
		}
		if flow+len(columns) > maxDepth {
			return t
		}
	}
	return nil
}

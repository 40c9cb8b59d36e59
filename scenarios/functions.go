package scenarios

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
)

// Functions are what a target's templates may call, beside those of Go's templates (printf, slice, urlquery, eq, …).
var Functions = template.FuncMap{
	"json":    quoteJSON,
	"digits":  Digits,
	"pad":     pad,
	"uuid":    uuid,
	"sha256":  func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) },
	"base64":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"lower":   strings.ToLower,
	"upper":   strings.ToUpper,
	"trim":    strings.TrimSpace,
	"replace": func(old, with, s string) string { return strings.ReplaceAll(s, old, with) },
	"default": func(instead, s string) string {
		if s == "" {
			return instead
		}
		return s
	},
}

// Template parses a template of a target. {{uuid}} alone is the message's: {{uuid .Key}}.
func Template(name, text string) (*template.Template, error) {
	t, err := template.New(name).Option("missingkey=error").Funcs(Functions).Parse(text)
	if err != nil {
		return nil, err
	}
	if strings.Contains(text, "uuid") && t.Tree != nil {
		ofTheMessage(t.Root)
	}
	return t, nil
}

// quoteJSON writes a value as JSON, with its quotes: {"text": {{json .Text}}}.
func quoteJSON(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// Digits keeps the digits of a text.
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// pad writes zeros before a text until it has n characters: {{pad 12 .To}}.
func pad(n int, s string) (string, error) {
	if n > 1000 {
		return "", fmt.Errorf("pad %d: that is too long", n)
	}
	return strings.Repeat("0", max(0, n-len(s))) + s, nil
}

// uuid is a UUID that follows from a text alone (version 8), so that every attempt and every run has the same.
func uuid(s string) string {
	sum := sha256.Sum256([]byte("aftershock" + s))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ofTheMessage gives each uuid without an argument the message's key.
func ofTheMessage(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, x := range n.Nodes {
			ofTheMessage(x)
		}
	case *parse.ActionNode:
		ofTheMessage(n.Pipe)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.PipeNode:
		if n == nil {
			return
		}
		for i, c := range n.Cmds {
			for _, arg := range c.Args {
				ofTheMessage(arg)
			}
			if f, ok := c.Args[0].(*parse.IdentifierNode); ok && f.Ident == "uuid" && len(c.Args) == 1 && i == 0 {
				c.Args = append(c.Args, &parse.VariableNode{NodeType: parse.NodeVariable, Pos: f.Pos, Ident: []string{"$", "Key"}})
			}
		}
	}
}

func branch(n *parse.BranchNode) {
	ofTheMessage(n.Pipe)
	ofTheMessage(n.List)
	ofTheMessage(n.ElseList)
}

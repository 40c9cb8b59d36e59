package strict

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// YAML prints the tree in one canonical form: block style, keys in the order of the tree.
func (n *Node) YAML() []byte {
	var b bytes.Buffer
	switch {
	case n == nil || n.Kind == Null:
		return nil
	case n.Kind == Map && len(n.Fields) > 0, n.Kind == List && len(n.Items) > 0:
		n.block(&b, 0, false)
	default:
		n.inline(&b, 0)
	}
	return b.Bytes()
}

// Sort orders the keys of every map in the tree.
func (n *Node) Sort() *Node {
	if n == nil {
		return nil
	}
	slices.SortStableFunc(n.Fields, func(a, b Field) int { return strings.Compare(a.Key, b.Key) })
	for _, f := range n.Fields {
		f.Value.Sort()
	}
	for _, i := range n.Items {
		i.Sort()
	}
	return n
}

// block prints a map or a list that is not empty, one entry a line. The first line is not indented when something,
// the dash of a list, stands there already.
func (n *Node) block(b *bytes.Buffer, indent int, begun bool) {
	pad := strings.Repeat(" ", indent)
	for _, f := range n.Fields {
		if !begun {
			b.WriteString(pad)
		}
		begun = false
		b.WriteString(scalarText(f.Key, true, false) + ":")
		f.Value.after(b, indent)
	}
	for _, i := range n.Items {
		if !begun {
			b.WriteString(pad)
		}
		begun = false
		b.WriteString("-")
		if i.Kind == Map && len(i.Fields) > 0 || i.Kind == List && len(i.Items) > 0 {
			b.WriteString(" ")
			i.block(b, indent+2, true)
			continue
		}
		b.WriteString(" ")
		i.inline(b, indent)
	}
}

// after prints a value behind its key.
func (n *Node) after(b *bytes.Buffer, indent int) {
	switch {
	case n.Kind == Map && len(n.Fields) > 0, n.Kind == List && len(n.Items) > 0:
		b.WriteString("\n")
		n.block(b, indent+2, false)
	default:
		b.WriteString(" ")
		n.inline(b, indent)
	}
}

// inline prints a scalar or an empty map or list, and ends the line.
func (n *Node) inline(b *bytes.Buffer, indent int) {
	switch n.Kind {
	case Map:
		b.WriteString("{}\n")
	case List:
		b.WriteString("[]\n")
	case Null:
		b.WriteString("null\n")
	default:
		if literal(n.Text) {
			pad := strings.Repeat(" ", indent+2)
			text, sign := n.Text, "|-"
			if strings.HasSuffix(text, "\n") {
				text, sign = strings.TrimSuffix(text, "\n"), "|"
			}
			b.WriteString(sign + "\n")
			for _, line := range strings.Split(text, "\n") {
				if line != "" {
					b.WriteString(pad + line)
				}
				b.WriteString("\n")
			}
			return
		}
		if _, text := n.Any().(string); !text { // numbers and booleans stand as they are
			b.WriteString(n.Text + "\n")
			return
		}
		b.WriteString(scalarText(n.Text, false, n.Plain) + "\n")
	}
}

// literal reports whether a text reads best as a block of lines.
func literal(s string) bool {
	body := strings.TrimSuffix(s, "\n")
	if !strings.Contains(body, "\n") || strings.HasSuffix(body, "\n") {
		return false
	}
	for i, line := range strings.Split(body, "\n") {
		if line != strings.TrimRight(line, " ") || line != strings.TrimLeft(line, " ") || i == 0 && line == "" {
			return false
		}
	}
	return !strings.ContainsFunc(body, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
}

// scalarText prints a key or a value, in quotes where it would be read as something else without.
func scalarText(s string, key, plain bool) string {
	if (plain || !typed(s)) && safe(s, key) {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes, and JSON's escapes are YAML's
	return strings.TrimSuffix(b.String(), "\n")
}

// safe reports whether a text can stand without quotes.
func safe(s string, key bool) bool {
	if s == "" || s != strings.TrimSpace(s) {
		return false
	}
	first := rune(s[0])
	switch {
	case first >= 'a' && first <= 'z', first >= 'A' && first <= 'Z', first >= '0' && first <= '9', first == '_', first == '/':
	case strings.ContainsRune("-+.", first) && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
	default:
		return false
	}
	prev := rune(0)
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case strings.ContainsRune("_./%()=+-", r):
		case !key && strings.ContainsRune("<>*;@!?~^$|", r) && r != prev:
		case r == ' ' && prev != ' ':
		case !key && (r == ',' || r == '\'' || r == '&'):
		case r == ':' && !key && i+1 < len(s) && s[i+1] != ' ':
		case r > 0x7f && unicode.IsLetter(r):
		default:
			return false
		}
		prev = r
	}
	return true
}

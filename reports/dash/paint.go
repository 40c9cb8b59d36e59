package dash

import (
	"bytes"
	"strconv"
)

// diff is what a terminal that shows prev must be sent to show next: only the cells that changed. Bubbletea's own
// renderer sends every line in which anything changed, ten times as much for charts that grow at one end, which a
// slow line feels. A prev of nil, or of another size, starts from a cleared screen.
func diff(prev, next *frame, c Color) []byte {
	var b bytes.Buffer
	if prev == nil || prev.w != next.w || prev.h != next.h {
		b.WriteString("\x1b[0m\x1b[2J")
		prev = newFrame(next.w, next.h, false)
	}
	style := plain
	atX, atY := -1, -1
	same := func(i int) bool { return prev.cells[i] == next.cells[i] }
	for y := range next.h {
		row := y * next.w
		for x := 0; x < next.w; x++ {
			if same(row + x) {
				continue
			}
			if next.cells[row+x].r == 0 && x > 0 { // the second half of a wide rune: send it from its first half
				x--
			}
			if atY == y && atX >= 0 && x > atX && x-atX <= 4 { // sending the cells between costs less than a jump
				x = atX
				if next.cells[row+x].r == 0 {
					x++
				}
			}
			if atX != x || atY != y {
				move(&b, x, y)
			}
			cl := next.cells[row+x]
			if cl.s != style {
				b.WriteString(change(style, cl.s, c))
				style = cl.s
			}
			b.WriteRune(cl.r)
			atX, atY = x+1, y
			if x+1 < next.w && next.cells[row+x+1].r == 0 {
				x++
				atX++
			}
			if atX >= next.w {
				atX = -1 // terminals differ in where the cursor is after the last column
			}
		}
	}
	b.WriteString(change(style, plain, c))
	return b.Bytes()
}

// move puts the cursor on a cell.
func move(b *bytes.Buffer, x, y int) {
	b.WriteString("\x1b[")
	b.WriteString(strconv.Itoa(y + 1))
	if x > 0 {
		b.WriteByte(';')
		b.WriteString(strconv.Itoa(x + 1))
	}
	b.WriteByte('H')
}

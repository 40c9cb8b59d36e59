package virtual

import (
	"bytes"
	"fmt"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// Stuck says which goroutines hold virtual time up, or were left behind when it ended.
type Stuck struct {
	Waiting []Waiting
	Left    bool // they were left behind
}

// Waiting is a goroutine of a bubble.
type Waiting struct {
	ID      string
	State   string   // as the runtime calls it: IO wait, sync.Mutex.Lock, chan receive, …
	Where   []string // innermost first, outside the standard library as far as there is any
	Started string   // what started it, when that is code of others
	theirs  bool     // it is in code of others
}

// maxNamed bounds the goroutines that an error names.
const maxNamed = 4

// Error implements error.
func (s *Stuck) Error() string {
	var b strings.Builder
	if s.Left {
		b.WriteString("goroutines of the sender were left behind: whatever it starts has to end when the context of Run does")
	} else {
		b.WriteString("virtual time stands still: " + advice(s.Waiting))
	}
	for i, w := range s.Waiting {
		if i == maxNamed {
			fmt.Fprintf(&b, "\n  and %d more", len(s.Waiting)-i)
			break
		}
		fmt.Fprintf(&b, "\n  goroutine %s, %s", w.ID, w.State)
		for _, at := range w.Where {
			b.WriteString("\n    at " + at)
		}
		if w.Started != "" {
			b.WriteString("\n    started by " + w.Started)
		}
	}
	return b.String()
}

// outside reports whether one of them waits for a socket, a file or a name.
func outside(waiting []Waiting) bool {
	return slices.ContainsFunc(waiting, func(w Waiting) bool {
		return strings.HasPrefix(w.State, "IO wait") || strings.HasPrefix(w.State, "syscall")
	})
}

// advice says what to do about the first goroutine of a kind that is known.
func advice(waiting []Waiting) string {
	has := func(states ...string) bool {
		for _, w := range waiting {
			for _, s := range states {
				if strings.HasPrefix(w.State, s) {
					return true
				}
			}
		}
		return false
	}
	switch {
	case outside(waiting):
		return "a goroutine waits for a socket, a file or a name. Give its http.Client the Transport of the Surroundings, and libraries that dial their DialContext"
	case has("sync.Mutex", "sync.RWMutex", "semacquire"):
		return "a goroutine waits for a lock whose holder sleeps or waits. Let go of the lock first, or make it a channel of capacity 1, which virtual time understands"
	case has("chan", "select", "sync.WaitGroup", "sync.Cond"):
		return "a goroutine waits for a channel or a group that was made outside. Make it in Options.Sender, or later"
	}
	return "a goroutine waits for something outside"
}

// parse reads the goroutines of a bubble from the text of runtime.Stack.
func parse(text []byte, bubble string) []goroutine {
	var all []goroutine
	for block := range bytes.SplitSeq(text, []byte("\n\n")) {
		head, frames, _ := strings.Cut(string(block), "\n")
		id, rest, ok := strings.Cut(strings.TrimPrefix(head, "goroutine "), " [")
		if !ok || bubbleOf(rest) != bubble {
			continue
		}
		state, _, _ := strings.Cut(strings.TrimSuffix(rest, "]:"), ",")
		all = append(all, goroutine{Waiting: Waiting{ID: id, State: state}, frames: frames})
	}
	return all
}

type goroutine struct {
	Waiting
	frames string
}

// bubbleOf is the bubble that a goroutine's header names: "running, synctest bubble 7]:" is of bubble 7.
func bubbleOf(header string) string {
	_, of, ok := strings.Cut(header, "synctest bubble ")
	if !ok {
		return ""
	}
	return strings.TrimRight(of, "]:")
}

// ownBubble is the bubble of the calling goroutine.
func ownBubble() string {
	b := make([]byte, 256)
	head, _, _ := strings.Cut(string(b[:runtime.Stack(b, false)]), "\n")
	return bubbleOf(head)
}

// holdUp returns the goroutines of a bubble that wait for something its clock cannot see, and whether anything moves.
func holdUp(text []byte, bubble string) (waiting []Waiting, moving bool) {
	var behind []Waiting // in code of others, for what waits outside on a goroutine of the standard library
	for _, g := range parse(text, bubble) {
		switch {
		case strings.HasSuffix(g.State, "(durable)"):
			if dials(g.frames) {
				behind = append(behind, g.describe())
			}
		case g.State == "running", g.State == "runnable", g.State == "preempted", strings.HasPrefix(g.State, "GC "), ownPause(g.frames):
			moving = true
		default:
			waiting = append(waiting, g.describe())
		}
	}
	if !slices.ContainsFunc(waiting, func(w Waiting) bool { return w.theirs }) && outside(waiting) {
		waiting = append(behind, waiting...)
	}
	return waiting, moving
}

// ownPause reports whether a goroutine waits for what is the harness's own: the wall, which a run is tied to, or the record's disk.
func ownPause(frames string) bool {
	return strings.Contains(frames, "virtual.(*Throttle)") || strings.Contains(frames, "/reports/record.")
}

// dials reports whether a goroutine is in a client of the standard library that goes by sockets.
func dials(frames string) bool {
	for _, client := range []string{"net/http.(*Transport).", "net.(*Resolver).", "net.(*Dialer)."} {
		if strings.Contains(frames, "\n"+client) {
			return true
		}
	}
	return false
}

// inBubble returns the goroutines of a bubble that are in code of others, or all when there are none.
func inBubble(text []byte, bubble string) []Waiting {
	var all, theirs []Waiting
	for _, g := range parse(text, bubble) {
		w := g.describe()
		all = append(all, w)
		if w.theirs {
			theirs = append(theirs, w)
		}
	}
	if len(theirs) > 0 {
		return theirs
	}
	return all
}

// maxFrames bounds the frames that are named of a goroutine.
const maxFrames = 3

// describe fills in where a goroutine is: in code that is neither the standard library's nor the harness's, or wherever it is.
func (g goroutine) describe() Waiting {
	var theirs, every []string
	lines := strings.Split(g.frames, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		function, file := lines[i], strings.TrimSpace(lines[i+1])
		file, _, _ = strings.Cut(file, " ")
		if by, ok := strings.CutPrefix(function, "created by "); ok {
			by, _, _ = strings.Cut(by, " in goroutine")
			if !ours(by, file) {
				g.Started = by + " " + file
			}
			break
		}
		if end := strings.LastIndexByte(function, '('); end > 0 {
			function = function[:end]
		}
		every = append(every, function+" "+file)
		if !ours(function, file) {
			theirs = append(theirs, function+" "+file)
		}
	}
	g.theirs = len(theirs) > 0
	if !g.theirs { // what it is for stands at the bottom: net/http.(*persistConn).readLoop
		theirs = every[max(0, len(every)-maxFrames):]
	}
	g.Where = theirs[:min(len(theirs), maxFrames)]
	g.State = strings.TrimSuffix(g.State, " (durable)")
	return g.Waiting
}

// ours reports whether a function is the standard library's or the harness's.
func ours(function, file string) bool {
	harness := path.Dir(reflect.TypeFor[Stuck]().PkgPath())
	for _, room := range []string{".", "/virtual.", "/local."} {
		if strings.HasPrefix(function, harness+room) {
			return true
		}
	}
	return strings.HasPrefix(file, library)
}

// library is where the standard library's files are; with -trimpath they have no folder, and nothing is told apart.
var library = func() string {
	file, _ := runtime.FuncForPC(reflect.ValueOf(strings.ToUpper).Pointer()).FileLine(0)
	if at := strings.LastIndex(file, "strings/"); at > 0 {
		return file[:at]
	}
	return "\x00"
}()

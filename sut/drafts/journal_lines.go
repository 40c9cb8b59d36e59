package drafts

import (
	"bytes"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// The lines of the journal: a letter and words. C draft created print tenant key (a draft was made), B draft n (attempt n
// begins), L draft (its outcome is known, and the draft goes on), F draft state reason (finished), S draft state (a status),
// P scope name since until (paused), R scope name (resumed), O boot (a process began, on a machine that was started as boot),
// # + (the lines before are durable, and their calls may have been made), # - (nothing).

// lineCreated tells of a draft that was made. It is written after the draft is in the queue: a line without a draft
// would make a retry believe that its message is safe. Until it is durable the queue's own dedupe window holds.
func lineCreated(d *wire.Draft) string {
	return "C " + d.ID + " " + strconv.FormatInt(d.Created, 10) + " " + strconv.FormatUint(d.Print, 16) + " " +
		word(d.Tenant) + " " + word(d.Key)
}

// word writes a text as one word that is never empty; unword undoes it.
func word(s string) string { return "=" + url.QueryEscape(s) }

func unword(s string) (string, error) { return url.QueryUnescape(strings.TrimPrefix(s, "=")) }

// lineProbe says nothing: it finds out whether lines can be written.
const lineProbe = "# -"

func lineBegun(id string, n int) string { return "B " + id + " " + strconv.Itoa(n) }
func lineLanded(id string) string       { return "L " + id }
func lineFinished(id string, s State, reason string) string {
	return "F " + id + " " + strconv.Itoa(int(s)) + " " + word(reason)
}
func lineStatus(id string, s State) string { return "S " + id + " " + strconv.Itoa(int(s)) }

func linePaused(st Stop) string {
	return strings.Join([]string{"P", word(st.Scope), word(st.Name), stamp(st.Since), stamp(st.Until)}, " ")
}
func lineResumed(st Stop) string { return "R " + word(st.Scope) + " " + word(st.Name) }

// stamp writes an instant, which may be none; unstamp undoes it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.UnixNano(), 10)
}

func unstamp(s string) (t time.Time, err error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if n != 0 {
		t = time.Unix(0, n)
	}
	return t, err
}

// lineOpened tells of a process that begins to write. boot names the start of the machine; "-" when what is written may be
// lost with it.
func lineOpened(boot string) string { return "O " + boot }

// lineDurable stands behind a group with the beginning of an attempt once the group is durable. It is written before any
// of the calls is made, and need not be durable itself: a process that was killed had either written it or made no call.
const lineDurable = "# +"

// begins reports whether a group tells of the beginning of an attempt.
func begins(group []byte) bool {
	return bytes.HasPrefix(group, []byte("B ")) || bytes.Contains(group, []byte("\nB "))
}

// noBoot is the boot of a journal that does not outlive the machine, and of a machine that does not name its starts.
const noBoot = "-"

// bootID names the start of this machine.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if id := strings.TrimSpace(string(b)); err == nil && id != "" && !strings.ContainsAny(id, " \n") {
		return id
	}
	return noBoot
}

package proc

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// threadSlack is the slack of this thread.
func threadSlack() time.Duration {
	n, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		panic(err)
	}
	return time.Duration(n)
}

func init() {
	tellSlack = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, threadSlack()) }
}

// The slack is for parts alone: a load that is as late would measure itself.
func TestPartsHaveSlackAndTheLoadHasNot(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadSlack()
	u, err := begin(t.Context(), newTestEngine(t), aPart("drafts", "serve"))
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, u.URL("http")+"/slack"); got != slack.String() {
		t.Errorf("a part has a slack of %s, want %v", got, slack)
	}
	if got := threadSlack(); got != before || got >= slack {
		t.Errorf("the load has a slack of %v, it had %v", got, before)
	}
}

package dash

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Opened is a run somebody wants to watch.
type Opened struct {
	Source   Source
	Control  Control // nil for a run that cannot be steered from here
	Attached string  // how it is reached, for people
	Finished bool    // it is a record, not a run that goes on
}

// Open finds the run that a word means: a URL, a run's folder, a folder under runs, or the ID of a run that goes on
// on this machine. The empty word means the only one that does.
func Open(target, token string) (Opened, error) {
	if target == "" {
		ids := Running()
		switch len(ids) {
		case 0:
			return Opened{}, fmt.Errorf("no run goes on on this machine: name a run's folder or a URL")
		case 1:
			target = ids[0]
		default:
			return Opened{}, fmt.Errorf("several runs go on, name one: %s", strings.Join(ids, ", "))
		}
	}
	if strings.Contains(target, "://") {
		r, err := AttachURL(target, token)
		if err != nil {
			return Opened{}, err
		}
		o := Opened{Source: r, Attached: target}
		if token != "" {
			o.Control = r
		}
		return o, nil
	}
	for _, dir := range []string{target, filepath.Join("runs", target)} {
		if _, err := os.Stat(filepath.Join(dir, record.FileInfo)); err != nil {
			continue
		}
		info, err := record.LoadInfo(dir)
		if err != nil {
			return Opened{}, err
		}
		if info.State == record.Running && answers(SocketPath(info.ID)) {
			target = info.ID
			break
		}
		if info.State == record.Running { // by another user, or in a container: its files are all there is of it
			return Opened{Source: NewHub(dir, nil), Attached: dir}, nil
		}
		return Opened{Source: Folder(dir), Attached: dir, Finished: true}, nil
	}
	path := SocketPath(filepath.Base(target))
	if !answers(path) {
		return Opened{}, fmt.Errorf("no run %q: it is no folder of a run, and no run of that name goes on here%s", target, others())
	}
	r := AttachSocket(path)
	return Opened{Source: r, Control: r, Attached: "unix:" + path}, nil
}

func others() string {
	if ids := Running(); len(ids) > 0 {
		return " (these do: " + strings.Join(ids, ", ") + ")"
	}
	return ""
}

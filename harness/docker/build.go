package docker

import (
	"context"
	"path/filepath"

	"github.com/aftershock-dev/aftershock/harness/remote"
)

// Options say which system is built, and from what.
type Options struct {
	remote.Options          // the engine is filled in here
	Exe            string   // our own static Linux binary; default this program
	Image          string   // an image that holds it, instead of one that is built
	Dir            string   // the run's folder: parts/ in it keeps what each part was told, and its log
	Janitor        []string // the command that calls Clean, should this process be killed; see Config
}

// Build starts the system in containers. Close removes them all, with their network.
func Build(ctx context.Context, o Options) (*remote.System, error) {
	engine, err := NewEngine(ctx, Config{Exe: o.Exe, Image: o.Image, Dir: filepath.Join(o.Dir, "parts"), Run: o.Run, Janitor: o.Janitor})
	if err != nil {
		return nil, err
	}
	o.Options.Engine = engine
	return remote.Build(ctx, o.Options)
}

package proc

import (
	"context"
	"path/filepath"

	"github.com/aftershock-dev/aftershock/harness/remote"
)

// Options say which system is built, and where.
type Options struct {
	remote.Options        // the engine is filled in here
	Exe            string // the program that the parts are; default this one
	Dir            string // the run's folder: parts/ in it keeps what each part was told, and its log
}

// Build starts the system as child processes. Close ends them all.
func Build(ctx context.Context, o Options) (*remote.System, error) {
	engine, err := NewEngine(o.Exe, filepath.Join(o.Dir, "parts"))
	if err != nil {
		return nil, err
	}
	o.Options.Engine = engine
	return remote.Build(ctx, o.Options)
}

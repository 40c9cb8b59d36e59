package main

import (
	"github.com/spf13/pflag"

	"github.com/aftershock-dev/aftershock/reports"
)

// askedFlags say what a comparison is asked for.
type askedFlags struct{ alpha, smallest string }

func (f *askedFlags) register(fl *pflag.FlagSet) {
	fl.StringVar(&f.alpha, "alpha", "", "how often all tests of a comparison together may raise a false alarm (default 1%)")
	fl.StringVar(&f.smallest, "smallest", "", "the smallest change that counts (default 5% in virtual time, 10% on the wall clock)")
}

// load reads a baseline and asks it for what the flags say.
func (f *askedFlags) load(path string) (*reports.Baseline, error) {
	asked, err := reports.ParseAsked(f.alpha, f.smallest)
	if err != nil {
		return nil, usageError(err)
	}
	b, err := reports.LoadBaseline(path)
	if err != nil {
		return nil, err
	}
	b.Asked = asked
	return b, nil
}

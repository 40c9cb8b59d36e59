package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aftershock-dev/aftershock/harness/part"
)

// startNATS runs the nodes of a cluster when one is needed and none is given.
func (s *System) startNATS(ctx context.Context) error {
	if s.opts.Queue != "jetstream" || s.opts.NATS != "" {
		return nil
	}
	n := s.opts.Nodes
	parts := make([]Part, n)
	specs := make([]part.Spec, n)
	var routes []string
	for i := range n {
		specs[i] = part.Spec{Kind: part.NATS, Name: fmt.Sprintf("nats/%d", i+1)}
		parts[i] = s.part(specs[i])
		inside, err := s.opts.Engine.Place(parts[i])
		if err != nil {
			return err
		}
		routes = append(routes, inside[part.Cluster])
	}
	s.nats = make([]Unit, n)
	errs := make([]error, n)
	var starts sync.WaitGroup
	for i := range n {
		if n > 1 {
			specs[i].Routes = routes
		}
		p := s.part(specs[i])
		u, err := s.opts.Engine.Add(ctx, p)
		if err != nil {
			return fmt.Errorf("add %s: %w", p.Name, err)
		}
		s.nats[i] = u
		starts.Go(func() { errs[i] = u.Start(ctx) })
	}
	starts.Wait()
	return errors.Join(errs...)
}

// natsURL is where the sender finds NATS; empty when it needs none.
func (s *System) natsURL() string {
	if s.opts.NATS != "" || len(s.nats) == 0 {
		return s.opts.NATS
	}
	var urls []string
	for _, u := range s.nats {
		urls = append(urls, "nats://"+strings.TrimPrefix(u.Inside(part.Client), "http://"))
	}
	return strings.Join(urls, ",")
}

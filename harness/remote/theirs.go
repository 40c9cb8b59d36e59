package remote

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/aftershock-dev/aftershock/harness/part"
	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/scenarios"
	"github.com/aftershock-dev/aftershock/sut/fleet"
)

// startTheirs runs copies of someone else's sender, from its image or as programs on this machine.
func (s *System) startTheirs(ctx context.Context, t scenarios.Target) error {
	theirs, err := s.surroundings(t)
	if err != nil {
		return err
	}
	s.copies.Store(int64(max(1, t.Replicas)))
	s.pool = &pool{
		name: target, engine: s.opts.Engine, client: &http.Client{Transport: part.NewTransport()}, theirs: true,
		draws: chance.New(s.opts.Scenario.Seed).For(target),
		settings: func() fleet.Settings {
			n := int(s.copies.Load())
			return fleet.Settings{
				Replicas: fleet.Replicas{Min: n, Max: n, Probe: 5 * time.Second}, Scaling: fleet.Scaling{Signal: "none", Interval: time.Minute},
			}
		},
		version: func() int64 { return 0 }, greet: func(context.Context, Unit) error { return nil },
		rotate: s.rotate("rotate"),
		part:   func(slot int) Part { return s.theirPart(slot, t, theirs) },
	}
	if err := s.pool.begin(ctx); err != nil {
		return err
	}
	s.running.Go(func() { s.pool.run(s.life) })
	return nil
}

// squeezeTheirs finds what squeezes the time of someone else's sender, or says why it cannot be squeezed.
func (s *System) squeezeTheirs(ctx context.Context) (err error) {
	t := s.opts.Scenario.Target
	switch {
	case !s.started():
		return errors.New("--compress: the sender runs already, with a clock of its own\nhint: have the run start it (target.command), so that its time can be squeezed with the rest, or leave --compress out")
	case t.Image != "" && s.opts.Outside.Faketime == "":
		return errors.New("--compress: an image needs libfaketime within it (apt-get install faketime in its Dockerfile)\nhint: name it as the image has it, --libfaketime /usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
	case t.Image != "":
		s.squeezer = &faketime{library: s.opts.Outside.Faketime, image: true, rate: s.opts.Compress, began: time.Now()}
		return nil
	}
	theirs, err := s.surroundings(*t)
	if err != nil {
		return err
	}
	if err := squeezable(theirs.command("1")[0], s.opts.Scenario.WorksIn()); err != nil {
		return err
	}
	s.squeezer, err = newFaketime(ctx, s.opts.Outside.Faketime, s.opts.Compress)
	return err
}

// theirPart is one copy of someone else's sender.
func (s *System) theirPart(slot int, t scenarios.Target, theirs *surroundings) Part {
	p := Part{
		Name: fmt.Sprintf("%s/%d", target, slot), Doors: []string{part.HTTP}, Ready: t.Ready, Image: t.Image, Port: t.Port,
		Within: cmp.Or(t.Within, time.Minute),
	}
	if t.Image != "" {
		p.Env = theirs.environment(strconv.Itoa(t.Port))
		if s.squeezer != nil {
			maps.Copy(p.Env, s.squeezer.environment(time.Now()))
		}
		if len(t.Command) > 0 {
			p.Args = func(map[string]string, func(string) string) []string { return theirs.command(strconv.Itoa(t.Port)) }
		}
		return p
	}
	if n := t.Listens(); n > 0 {
		p.Listen = map[string]string{part.HTTP: net.JoinHostPort("127.0.0.1", strconv.Itoa(n))}
	}
	p.Program = &Program{
		Name: theirs.command("")[0], Folder: s.opts.Scenario.WorksIn(),
		Env: func(listen map[string]string) []string { return s.theirEnvironment(theirs, portIn(listen[part.HTTP])) },
	}
	if s.squeezer != nil {
		p.Program.Check = s.squeezer.loaded
	}
	p.Args = func(listen map[string]string, _ func(string) string) []string {
		return theirs.command(portIn(listen[part.HTTP]))[1:]
	}
	return p
}

// theirEnvironment is the environment of a program that is not ours: this process's, what the scenario says, and what
// squeezes its time.
func (s *System) theirEnvironment(theirs *surroundings, port string) []string {
	env := os.Environ()
	said := theirs.environment(port)
	if _, ok := said["PORT"]; !ok {
		said["PORT"] = port
	}
	if s.squeezer != nil {
		env = clean(env)
		more := s.squeezer.environment(time.Now())
		if own := said["LD_PRELOAD"]; own != "" {
			more["LD_PRELOAD"] += ":" + own
		}
		maps.Copy(said, more)
	}
	for _, k := range slices.Sorted(maps.Keys(said)) {
		env = append(env, k+"="+said[k])
	}
	return env
}

func portIn(addr string) string {
	_, port, err := net.SplitHostPort(addr)
	if err != nil { // engines tell addresses
		return ""
	}
	return port
}

// surroundings are the templates of a target's command and environment, tried out.
type surroundings struct {
	target scenarios.Target
	fields scenarios.TargetFields
}

// surroundings reads the secrets and tries the templates out.
func (s *System) surroundings(t scenarios.Target) (*surroundings, error) {
	secrets, err := s.opts.Scenario.ReadSecrets()
	if err != nil {
		return nil, err
	}
	x := &surroundings{t, scenarios.TargetFields{
		FakeWA: s.FakeWA(), Secret: secrets, AppSecret: part.AppSecret, VerifyToken: part.VerifyToken,
	}}
	for k, text := range t.Environment {
		if _, err := x.fill(text, "1"); err != nil {
			return nil, fmt.Errorf("target.environment.%s: %w", k, err)
		}
	}
	for i, text := range t.Command {
		if _, err := x.fill(text, "1"); err != nil {
			return nil, fmt.Errorf("target.command[%d]: %w", i, err)
		}
	}
	if t.Program() {
		if info, err := os.Stat(s.opts.Scenario.WorksIn()); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("target.folder: %s is not a folder", s.opts.Scenario.WorksIn())
		}
	}
	return x, nil
}

func (x *surroundings) fill(text, port string) (string, error) {
	fields := x.fields
	fields.Port = port
	tpl, err := scenarios.Template("", text)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = tpl.Execute(&b, fields)
	return b.String(), err
}

func (x *surroundings) filled(text, port string) string {
	out, err := x.fill(text, port)
	if err != nil { // tried out before anything was started
		panic(err)
	}
	return out
}

func (x *surroundings) environment(port string) map[string]string {
	env := maps.Clone(x.target.Environment)
	if env == nil {
		env = map[string]string{}
	}
	for k, text := range env {
		env[k] = x.filled(text, port)
	}
	return env
}

func (x *surroundings) command(port string) []string {
	out := make([]string, len(x.target.Command))
	for i, text := range x.target.Command {
		out[i] = x.filled(text, port)
	}
	return out
}

// told is what a report says of someone else's sender: how its time was squeezed, copies that did not last, and figures
// that could not be read.
func (s *System) told() []string {
	var out []string
	if s.squeezer != nil {
		out = s.squeezer.says()
	}
	if s.pool != nil {
		out = append(out, s.pool.told()...)
	}
	if s.unverified != "" {
		out = append(out, s.unverified)
	}
	if s.scraper != nil {
		out = append(out, s.scraper.told(s.opts.Scenario.Target.Metrics)...)
	}
	return out
}

// told lists copies that ended by themselves.
func (p *pool) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	seen := map[string]int{}
	for _, err := range p.ended {
		if seen[err.Error()]++; seen[err.Error()] == 1 {
			out = append(out, err.Error())
		}
	}
	for i, text := range out {
		if n := seen[text]; n > 1 {
			out[i] = fmt.Sprintf("%s (%d times)", text, n)
		}
	}
	return out
}

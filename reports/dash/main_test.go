package dash

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// TestMain lets the test binary stand in for the command, so that the dashboard can be driven in a real terminal:
// DASH_TEST=run replays the synthetic run into a folder and shows it as its owner, DASH_TEST=watch attaches.
func TestMain(m *testing.M) {
	switch os.Getenv("DASH_TEST") {
	case "run":
		os.Exit(helper(helperRun))
	case "nothing":
		os.Exit(0)
	case "watch":
		os.Exit(helper(helperWatch))
	}
	os.Exit(m.Run())
}

func helper(f func(context.Context) error) int {
	if err := f(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "helper:", err)
		return 1
	}
	return 0
}

func helperOptions(s Source, c Control) (Options, error) {
	caps, err := ChooseCapabilities("braille", os.Getenv("DASH_COLOR"), os.Getenv)
	ui, err2 := ChooseUI(os.Getenv("DASH_UI"), os.Getenv, TTYs(os.Stdin, os.Stdout, os.Stderr))
	if err == nil {
		err = err2
	}
	return Options{Source: s, Control: c, UI: ui, Caps: caps, In: os.Stdin, Out: os.Stdout, Err: os.Stderr, SaveDir: os.Getenv("DASH_DIR")}, err
}

func helperWatch(ctx context.Context) error {
	run, err := Open(os.Getenv("DASH_TARGET"), "")
	if err != nil {
		return err
	}
	o, err := helperOptions(run.Source, run.Control)
	if err != nil {
		return err
	}
	if run.Finished {
		fmt.Sscan(os.Getenv("DASH_SPEED"), &o.Speed)
	}
	o.Attached, o.Reattach = run.Attached, "watch "+os.Getenv("DASH_TARGET")
	err = Run(ctx, o)
	fmt.Println("left:", err)
	return nil
}

// helperRun plays the run at DASH_SPEED scenario seconds a second.
func helperRun(ctx context.Context) error {
	speed := 600.0
	fmt.Sscan(os.Getenv("DASH_SPEED"), &speed)
	p, err := newPlayed(os.Getenv("DASH_DIR"), speed)
	if err != nil {
		return err
	}
	hub := NewHub(p.w.Dir(), p.w.Subscribe)
	hub.SetSpeed(speed)
	control := hub.Control(p)
	socket, err := ListenSocket(p.info.ID)
	if err != nil {
		return err
	}
	doors, shut := context.WithCancel(ctx)
	defer shut()
	served := make(chan error, 1)
	go func() { served <- Serve(doors, Handler(Server{Hub: hub, Control: control}), socket) }()
	ended := make(chan error, 1)
	go func() { ended <- p.play() }()
	o, err := helperOptions(hub, control)
	if err != nil {
		return err
	}
	o.Owner, o.Reattach, o.Attached = true, "watch "+p.info.ID, "owner"
	err = Run(ctx, o)
	fmt.Println("left:", err)
	if err := <-ended; err != nil {
		return err
	}
	fmt.Println("run over")
	shut()
	return <-served
}

// played is the synthetic run written into a folder at a speed, steered like a real one.
type played struct {
	w     *record.Writer
	info  record.Info
	items []Item
	speed chan float64
	pause chan bool
	abort chan struct{}
	marks chan string
}

func newPlayed(dir string, speed float64) (*played, error) {
	items := synthetic(8 * time.Hour)
	info := *items[0].Info
	w, err := record.Create(dir, info, []byte("name: june6\n"))
	if err != nil {
		return nil, err
	}
	p := &played{w: w, info: info, items: items[1:], speed: make(chan float64, 1), pause: make(chan bool, 1), abort: make(chan struct{}, 1), marks: make(chan string, 8)}
	p.speed <- speed
	return p, nil
}

func (p *played) Pause(on bool) error   { p.pause <- on; return nil }
func (p *played) Abort() error          { p.abort <- struct{}{}; return nil }
func (p *played) Speed(x float64) error { p.speed <- x; return nil }
func (p *played) Mark(note string) error {
	p.marks <- note
	return nil
}
func (p *played) Apply(step string) error { return p.Mark("applied " + step) }

// play writes the items, each when its time has come.
func (p *played) play() error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	now, speed, paused, last := time.Duration(0), 0.0, false, time.Now()
	p.info.State = record.Finished
loop:
	for len(p.items) > 0 {
		select {
		case speed = <-p.speed:
		case paused = <-p.pause:
		case note := <-p.marks:
			p.w.Event(record.Event{At: now, Kind: "mark", Source: "operator", Text: note})
		case <-p.abort:
			p.info.State = record.Interrupted
			break loop
		case t := <-tick.C:
			if !paused {
				now += time.Duration(float64(t.Sub(last)) * speed)
			}
			last = t
		}
		for len(p.items) > 0 {
			it := p.items[0]
			at, ok := it.At()
			if ok && at > now && speed > 0 {
				break
			}
			if it.Event != nil {
				p.w.Event(*it.Event)
			}
			if it.Gauge != nil {
				p.w.Gauge(*it.Gauge)
			}
			p.items = p.items[1:]
		}
	}
	return p.w.Close(p.info)
}

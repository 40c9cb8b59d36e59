package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/internal/instant"
	"github.com/aftershock-dev/aftershock/quantity"
	"github.com/aftershock-dev/aftershock/sut/policy"
)

func settings() Settings {
	return Settings{
		Replicas: Replicas{Min: 1, Max: 4, Cores: 1, Queue: 3, Balance: "rotate", Start: quantity.Constant(time.Minute), Probe: 10 * time.Second, Memory: Memory{Base: 1000, Request: 10, Media: 100}},
		Scaling:  Scaling{Signal: "cpu", Interval: 15 * time.Second, Target: 0.5, Tolerance: 0.1, DownWindow: 5 * time.Minute},
	}
}

// crew is a fleet under test.
type crew struct {
	*Fleet
	set  *Settings
	stop context.CancelFunc
	done sync.WaitGroup
}

func newCrew(s Settings) *crew {
	c := &crew{set: &s}
	lanes := instant.Lanes{On: true}
	c.Fleet = New(Config{Name: "x", Lanes: lanes, Seed: chance.New(1), Ticker: lanes.Of(instant.System, instant.Scaler), Settings: func() Settings { return *c.set }})
	ctx, cancel := context.WithCancel(context.Background())
	c.stop = cancel
	c.done.Go(func() { _ = c.Run(ctx) })
	return c
}

func (c *crew) close() {
	c.stop()
	c.done.Wait()
}

// work does one piece of work and tells how it went and how long it took.
func (c *crew) work(d time.Duration, caller context.Context, back bool) (time.Duration, error) {
	began := time.Now()
	j, err := c.Begin()
	if err != nil {
		return 0, err
	}
	defer j.End()
	j.Caller, j.Back = caller, back
	err = j.Work(instant.Send, chance.New(1), quantity.Constant(d), true, true)
	return time.Since(began).Round(100 * time.Millisecond), err
}

func TestWorkWaitsItsTurnAndIsRefusedBeyondTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(settings())
		defer c.close()
		var mu sync.Mutex
		var got []string
		var jobs sync.WaitGroup
		for i := range 6 {
			jobs.Go(func() {
				took, err := c.work(time.Second, nil, false)
				mu.Lock()
				defer mu.Unlock()
				got = append(got, fmt.Sprint(i, " ", took, " ", err))
			})
			time.Sleep(10 * time.Millisecond)
		}
		jobs.Wait()
		want := []string{"4 0s " + ErrBusy.Error(), "5 0s " + ErrBusy.Error(), "0 1s <nil>", "1 2s <nil>", "2 3s <nil>", "3 4s <nil>"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if st := c.Stats(); st.Used.Round(100*time.Millisecond) != 4*time.Second {
			t.Errorf("core time %v, want 4s", st.Used)
		}
	})
}

func TestCallerThatLeavesIsTakenOutOfTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(settings())
		defer c.close()
		caller, leave := context.WithCancel(t.Context())
		var jobs sync.WaitGroup
		jobs.Go(func() { _, _ = c.work(2*time.Second, nil, false) })
		time.Sleep(10 * time.Millisecond)
		jobs.Go(func() {
			if took, err := c.work(2*time.Second, caller, false); !errors.Is(err, ErrLeft) || took > time.Second {
				t.Errorf("%v after %v, want %v at once", err, took, ErrLeft)
			}
		})
		time.Sleep(500 * time.Millisecond)
		leave()
		jobs.Wait()
		if busy, waiting := (*c.rotation.Load())[0].cores.load(); busy != 0 || waiting != 0 {
			t.Errorf("%d cores busy and %d waiting in the end", busy, waiting)
		}
	})
}

func TestFrontLineGoesFirstButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settings()
		s.Replicas.Queue, s.Admission.FrontWeight = 100, 3
		c := newCrew(s)
		defer c.close()
		var mu sync.Mutex
		var order []string
		var jobs sync.WaitGroup
		start := func(name string, back bool) {
			jobs.Go(func() {
				_, _ = c.work(time.Second, nil, back)
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
			})
			time.Sleep(time.Millisecond)
		}
		start("first", false)
		start("send", true)
		for i := range 5 {
			start(fmt.Sprint("accept", i), false)
		}
		jobs.Wait()
		if got := strings.Join(order, " "); got != "first accept0 accept1 accept2 send accept3 accept4" {
			t.Errorf("order: %s", got)
		}
	})
}

func TestScalingIsLateAndHasACeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settings()
		s.Replicas.Queue = 0
		c := newCrew(s)
		defer c.close()
		stop := make(chan struct{})
		var load sync.WaitGroup
		load.Go(func() { // five cores' worth of work
			for {
				select {
				case <-stop:
					return
				case <-time.After(200 * time.Millisecond):
					load.Go(func() { _, _ = c.work(time.Second, nil, false) })
				}
			}
		})
		time.Sleep(70 * time.Second) // the decision falls at 15 s, the copies start a minute later
		if st := c.Stats(); st.Ready != 1 || st.Starting == 0 {
			t.Errorf("after 70 s %d are ready and %d starting, want 1 and some", st.Ready, st.Starting)
		}
		time.Sleep(3 * time.Minute)
		if st := c.Stats(); st.Ready != 4 || st.Wanted <= 4 || st.Memory < 4000 {
			t.Errorf("later %+v, want 4 ready, more wanted", st)
		}
		close(stop)
		load.Wait()
		time.Sleep(10 * time.Minute)
		if st := c.Stats(); st.Ready != 1 {
			t.Errorf("in the end %d are ready, want 1", st.Ready)
		}
	})
}

func TestKilledReplicaLosesItsWorkAndIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(settings())
		defer c.close()
		var jobs sync.WaitGroup
		for range 3 {
			jobs.Go(func() {
				if _, err := c.work(time.Minute, nil, false); !errors.Is(err, ErrGone) {
					t.Errorf("work on a killed replica: %v", err)
				}
			})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if err := c.Kill(1); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Begin(); !errors.Is(err, ErrNobody) {
			t.Errorf("Begin without replicas: %v", err)
		}
		jobs.Wait()
		time.Sleep(2 * time.Minute)
		if took, err := c.work(time.Second, nil, false); err != nil || took != time.Second {
			t.Errorf("the replacement: %v, %v", took, err)
		}
		if err := c.Kill(7); err == nil || !strings.Contains(err.Error(), "1 replicas are running") {
			t.Errorf("kill of nobody: %v", err)
		}
	})
}

func TestPausedReplicaStopsTheClockOfItsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settings()
		s.Replicas.Min = 2
		c := newCrew(s)
		defer c.close()
		if err := c.Pause(1); err != nil {
			t.Fatal(err)
		}
		var jobs sync.WaitGroup
		jobs.Go(func() {
			if took, err := c.work(time.Second, nil, false); err != nil || took < time.Minute {
				t.Errorf("paused work took %v, %v", took, err)
			}
		})
		time.Sleep(time.Millisecond)
		time.Sleep(11 * time.Second) // by now the probe has taken it out of rotation
		for range 3 {
			if took, err := c.work(time.Second, nil, false); err != nil || took > 2*time.Second {
				t.Errorf("the other replica: %v, %v", took, err)
			}
		}
		time.Sleep(time.Minute)
		if err := c.Resume(1); err != nil {
			t.Fatal(err)
		}
		jobs.Wait()
	})
}

func TestSharedBottleneckSlowsEveryCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settings()
		s.Replicas.Min, s.Scaling.Contention = 4, 0.5
		c := newCrew(s)
		defer c.close()
		if took, err := c.work(time.Second, nil, false); err != nil || took != 2500*time.Millisecond {
			t.Errorf("with four copies and a contention of 0.5 a second took %v, %v; want 2.5s", took, err)
		}
	})
}

func TestControlledDelayTurnsOldWaitersAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := settings()
		s.Replicas.Queue = 100
		s.Admission.CoDel = policy.CoDel{Interval: 10 * time.Second, Target: 2 * time.Second}
		c := newCrew(s)
		defer c.close()
		var mu sync.Mutex
		shed := 0
		var jobs sync.WaitGroup
		for range 40 {
			jobs.Go(func() {
				if _, err := c.work(time.Second, nil, false); errors.Is(err, ErrShed) {
					mu.Lock()
					shed++
					mu.Unlock()
				}
			})
			time.Sleep(500 * time.Millisecond)
		}
		jobs.Wait()
		if shed == 0 || shed > 30 {
			t.Errorf("%d of 40 were turned away", shed)
		}
	})
}

// A core is handed on as of the end that was meant, however late the timers of a busy machine fire.
func TestCoresKeepTimeThatTimersLose(t *testing.T) {
	const late = 3 * time.Millisecond
	start := time.Unix(0, 0)
	c := cores{total: 1}
	if w, _, ok := c.acquire(start, frontLine, 0); w != nil || !ok {
		t.Fatal("a free core was not given")
	}
	var waiting []*waiter
	for range 3 {
		w, _, _ := c.acquire(start, frontLine, 0)
		waiting = append(waiting, w)
	}
	end := start.Add(time.Millisecond)
	for i, w := range waiting {
		c.release(end, 0, nil) // by somebody who woke up late
		if <-w.grant; !w.from.Equal(end) {
			t.Errorf("waiter %d has the core from %v on, want %v", i+1, w.from, end)
		}
		end = w.from.Add(time.Millisecond)
	}
	w, _, _ := c.acquire(end.Add(late), frontLine, 0) // came while the last one was late
	c.release(end, 0, nil)
	if <-w.grant; !w.from.Equal(w.since) {
		t.Errorf("a core was given from %v on, before it was asked for at %v", w.from, w.since)
	}
}

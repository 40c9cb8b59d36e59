package reports

import "fmt"

// Asked is what a comparison is asked for; zero values are the defaults.
type Asked struct {
	Alpha    float64 `json:"alpha,omitempty"`    // how often all tests of a comparison together may raise a false alarm
	Smallest float64 `json:"smallest,omitempty"` // the smallest change that counts, as a share
}

// The defaults: what repeats itself to the digit is looked at more closely than what the machine decides.
const (
	defaultAlpha    = 0.01
	smallestVirtual = 0.05
	smallestWall    = 0.10
)

// on fills in the defaults for a clock.
func (a Asked) on(clock string) Asked {
	if a.Alpha == 0 {
		a.Alpha = defaultAlpha
	}
	switch {
	case a.Smallest > 0:
	case clock == "wall":
		a.Smallest = smallestWall
	default:
		a.Smallest = smallestVirtual
	}
	return a
}

// mostAlpha and mostSmallest bound what is asked for.
const (
	mostAlpha    = 0.2
	mostSmallest = 10
)

func (a Asked) check() error {
	if a.Alpha < 0 || a.Alpha > mostAlpha || a.Smallest < 0 || a.Smallest > mostSmallest {
		return fmt.Errorf("a comparison is asked for alpha %g and changes of %g", a.Alpha, a.Smallest)
	}
	return nil
}

// ParseAsked reads what people ask of a comparison, both as shares ("1%", "0.1"); "" is the default.
func ParseAsked(alpha, smallest string) (a Asked, err error) {
	for _, f := range []struct {
		name, text string
		to         *float64
		most       float64
	}{{"--alpha", alpha, &a.Alpha, mostAlpha}, {"--smallest", smallest, &a.Smallest, mostSmallest}} {
		if f.text == "" {
			continue
		}
		if *f.to, err = Share.Parse(f.text); err != nil || *f.to <= 0 || *f.to > f.most {
			return Asked{}, fmt.Errorf("%s %q: write a share above 0 and up to %s, such as 1%%", f.name, f.text, Share.Format(f.most))
		}
	}
	return a, nil
}

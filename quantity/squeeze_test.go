package quantity

import (
	"reflect"
	"testing"
	"time"
)

func TestSqueeze(t *testing.T) {
	type inner struct {
		Wait  time.Duration
		Limit Rate
		Delay Dist
		Count int
		Share Share
		At    time.Time
	}
	type outer struct {
		Inner  inner
		Ptr    *inner
		Map    map[string]inner
		List   []time.Duration
		Any    map[string]any
		hidden time.Duration
	}
	at := time.Date(2025, 6, 6, 13, 3, 0, 0, time.UTC)
	one := func(wait time.Duration, count float64, delay string) inner {
		d, err := ParseDist(delay)
		if err != nil {
			t.Fatal(err)
		}
		return inner{wait, Rate{count, time.Minute}, d, 7, 0.5, at}
	}
	shared := one(time.Minute, 400, "1s")
	v := outer{one(time.Minute, 400, "1s"), &shared, map[string]inner{"a": shared}, []time.Duration{time.Hour},
		map[string]any{"r": "300/min", "d": "90s", "u": "uniform(1s, 2s)", "n": 4, "w": "hmac", "z": nil, "m": map[string]any{"d": "1h"}}, time.Hour}
	before := v
	Squeeze(&v, 60)
	want := outer{one(time.Second, 24000, "1s"), nil, nil, []time.Duration{time.Minute},
		map[string]any{"r": "18000/min", "d": "1.5s", "u": "uniform(16.666667ms, 33.333333ms)", "n": 4, "w": "hmac", "z": nil, "m": map[string]any{"d": "1m0s"}}, time.Hour}
	want.Inner.Delay = Constant(time.Second).Divide(60)
	if !reflect.DeepEqual(v.Inner, want.Inner) || !reflect.DeepEqual(*v.Ptr, want.Inner) || !reflect.DeepEqual(v.Map["a"], want.Inner) {
		t.Errorf("%+v", v)
	}
	if !reflect.DeepEqual(v.List, want.List) || !reflect.DeepEqual(v.Any, want.Any) || v.hidden != time.Hour {
		t.Errorf("%+v", v)
	}
	if before.Map["a"].Count != 7 || before.Map["a"].Wait != time.Minute || before.List[0] != time.Hour || shared.Wait != time.Minute || before.Any["d"] != "90s" || before.Any["m"].(map[string]any)["d"] != "1h" {
		t.Error("what was shared has changed")
	}
	v.hidden = 0
}

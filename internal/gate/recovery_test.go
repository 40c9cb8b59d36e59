package gate

import "testing"

// TestGateMetastable: a trigger of ten seconds, and retries keep a system stuck that could carry its load (Huang et al.,
// OSDI 2022). Its backlog is empty now and then, because callers give up and ask again; that is no recovery.
func TestGateMetastable(t *testing.T) {
	s, err := open("testdata/recovery/osdi22-cpu-trigger.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	r := replay(t, s)
	for metric, want := range map[string]float64{"recovery.metastable": 1, "recovery.recovered": 0} {
		if got, ok := r.Value(metric); !ok || got != want {
			t.Errorf("%s is %v, %v; want %v", metric, got, ok, want)
		}
	}
}

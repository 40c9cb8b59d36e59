package quantity

import "testing"

func TestBytes(t *testing.T) {
	for in, want := range map[string]string{"64MiB": "64MiB", "4096": "4KiB", "1.5KiB": "1536B", "2GB": "1953125KiB", "0": "0B"} {
		b, err := ParseBytes(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if b.String() != want {
			t.Errorf("%s reads as %s, want %s", in, b, want)
		}
		if again, err := ParseBytes(b.String()); err != nil || again != b {
			t.Errorf("%s printed as %s reads as %v, %v", in, b, again, err)
		}
	}
	for _, in := range []string{"", "MiB", "-1", "1TB", "NaN", "1e30"} {
		if b, err := ParseBytes(in); err == nil {
			t.Errorf("%q was read as %v", in, b)
		}
	}
}

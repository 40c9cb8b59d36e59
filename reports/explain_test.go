package reports

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/golden"
)

func TestExplanationsAddUp(t *testing.T) {
	r := shared(t, small)
	s := r.Summary()
	for kind, want := range map[string]int{"duplicates": s.Duplicates.Copies, "expired": s.Messages.Expired, "lost": s.Messages.Lost, "shed": s.Messages.Shed} {
		e, err := r.Explain(kind)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, g := range e.Groups {
			sum += g.Count
			if g.Cause == "" || g.Detail == "" || len(g.Examples) == 0 {
				t.Errorf("%s: %+v says too little", kind, g)
			}
		}
		if sum != want || e.Total != want {
			t.Errorf("%s: groups add up to %d, total %d, the summary says %d", kind, sum, e.Total, want)
		}
	}
	if _, err := r.Explain("weather"); err == nil {
		t.Error("explained the weather")
	}
}

func TestExplanationIsGolden(t *testing.T) {
	r := shared(t, small)
	var out strings.Builder
	lost := 0 // copies of drafts that had been created although the caller saw no answer
	for _, kind := range Kinds {
		e, err := r.Explain(kind)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(e.Text() + "\n")
		for _, g := range e.Groups {
			if strings.HasPrefix(g.Detail, "draft created, answer lost") {
				lost += g.Count
			}
		}
		if len(e.Groups) > 0 {
			tale, err := r.Tell(e.Groups[0].Examples[0])
			if err != nil {
				t.Fatal(err)
			}
			out.WriteString(tale.Text(r.Info.Start) + "\n")
		}
	}
	if lost == 0 {
		t.Error("no copy is explained by a draft whose answer was lost")
	}
	golden.Check(t, filepath.Join("testdata", "explain.txt"), []byte(out.String()))
	if _, err := r.Tell("m999999"); err == nil || !strings.Contains(err.Error(), "m000001") {
		t.Errorf("a message that is not there: %v", err)
	}
}

package reports

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/aftershock-dev/aftershock/internal/golden"
	"github.com/aftershock-dev/aftershock/reports/internal/synth"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// where hides the folder of a test's run, which is another one each time.
func where(r *Report, b []byte) []byte {
	return bytes.ReplaceAll(b, []byte(r.data.run.Dir), []byte("RUN"))
}

func TestDocumentsAreGolden(t *testing.T) {
	missed := small
	missed.Healthy, missed.Extra = true, 2
	for name, o := range map[string]synth.Options{"incident": small, "missed": missed} {
		t.Run(name, func(t *testing.T) {
			r := shared(t, o)
			var text, colour bytes.Buffer
			if err := r.Text(&text, false); err != nil {
				t.Fatal(err)
			}
			if err := r.Text(&colour, true); err != nil {
				t.Fatal(err)
			}
			if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colour.String(), ""); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(text.String()), " ") {
				t.Error("colour changes more than colour")
			}
			summary, err := r.summary.JSON()
			if err != nil {
				t.Fatal(err)
			}
			junit, err := r.junit()
			if err != nil {
				t.Fatal(err)
			}
			for file, b := range map[string][]byte{"verdict.txt": text.Bytes(), "summary.json": summary, "report.md": r.markdown(), "junit.xml": junit, "bench.txt": r.bench(), "delivery_time.hgrm": r.histograms()["delivery_time"]} {
				golden.Check(t, filepath.Join("testdata", name, file), where(r, b))
			}
		})
	}
}

func TestFiguresAreGolden(t *testing.T) {
	r := shared(t, small)
	figures := r.figures()
	var numbers bytes.Buffer
	if len(figures) != 14 {
		t.Errorf("%d figures, want 14", len(figures))
	}
	for _, f := range figures {
		if f.Title == "" || f.Caption == "" {
			t.Errorf("%s has no title or caption", f.ID)
		}
		for _, p := range f.Panels {
			if p.X.Label == "" || p.Y.Label == "" && len(p.Lanes) == 0 {
				t.Errorf("%s has an axis without a label", f.ID)
			}
		}
		fmt.Fprintf(&numbers, "%s %s\n%s\n\n", f.ID, f.Title, f.Caption)
		var n table
		if n.Head, n.Rows = f.Numbers(12); len(n.Rows) > 0 {
			numbers.WriteString(n.plainText("  ") + "\n")
		}
		if f.ID == "P09" {
			golden.Check(t, filepath.Join("testdata", f.ID+"-"+f.Slug+".svg"), f.SVG())
		}
		if err := xml.Unmarshal(f.SVG(), new(struct{})); err != nil {
			t.Errorf("%s is not XML: %v", f.ID, err)
		}
	}
	golden.Check(t, filepath.Join("testdata", "figures.txt"), numbers.Bytes())
}

func TestGeneratedDocsAreUpToDate(t *testing.T) {
	golden.Check(t, filepath.Join("..", "docs", "metrics.md"), MetricsMarkdown())
	schema, err := SummarySchema()
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, filepath.Join("..", "docs", "summary.schema.json"), schema)
}

// The keys of summary.json are a contract: none goes, none changes its place.
func TestSummaryFollowsItsSchema(t *testing.T) {
	r := shared(t, small)
	b, err := r.summary.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(b, &value); err != nil {
		t.Fatal(err)
	}
	text, err := SummarySchema()
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	conform(t, "summary", schema, value)
}

// conform checks a value against the part of JSON Schema that SummarySchema uses.
func conform(t *testing.T, path string, schema map[string]any, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		properties, _ := schema["properties"].(map[string]any)
		if properties == nil {
			return
		}
		for _, k := range schema["required"].([]any) {
			if _, ok := v[k.(string)]; !ok {
				t.Errorf("%s lacks %s", path, k)
			}
		}
		for k, member := range v {
			p, ok := properties[k].(map[string]any)
			if !ok {
				t.Errorf("%s.%s is not in the schema", path, k)
				continue
			}
			conform(t, path+"."+k, p, member)
		}
	case []any:
		for _, member := range v {
			conform(t, path+"[]", schema["items"].(map[string]any), member)
		}
	case nil:
		if types, ok := schema["type"].([]any); !ok || types[1] != "null" {
			t.Errorf("%s is null", path)
		}
	}
}

func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, dir)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRebuiltByteForByte(t *testing.T) {
	dir := t.TempDir()
	if _, err := synth.Write(dir, small); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteAll(dir); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	if _, err := WriteAll(dir); err != nil {
		t.Fatal(err)
	}
	after := tree(t, dir)
	if len(before) < 40 || len(before) != len(after) {
		t.Errorf("%d files, then %d", len(before), len(after))
	}
	for name, b := range before {
		if after[name] != b {
			t.Errorf("%s differs when it is rebuilt", name)
		}
	}
}

func TestRunKilledAtHalfTimeReports(t *testing.T) {
	dir := t.TempDir()
	if _, err := synth.Write(dir, small); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{record.FileEvents, record.FileGauges, record.FileMessages, record.FileAttempts} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		half := len(b) / 2
		if name == record.FileMessages { // they are written when their outcomes are known, at the end
			half = 0
		}
		if err := os.WriteFile(filepath.Join(dir, name), b[:half], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	info, err := record.LoadInfo(dir)
	if err != nil {
		t.Fatal(err)
	}
	info.State, info.Virtual, info.Digest, info.Files, info.Seal = record.Running, 0, "", nil, ""
	b, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, record.FileInfo), b, 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := WriteAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := r.Summary().Messages
	if r.Verdict != Invalid || r.ExitCode != ExitInvalid || m.Offered == 0 || m.Pending != m.Offered || m.Residue != 0 {
		t.Errorf("verdict %s, exit %d, messages %+v", r.Verdict, r.ExitCode, m)
	}
	if copies, ok := r.Value("duplicates.copies"); !ok || copies == 0 {
		t.Errorf("%v copies are told by the attempts of half an incident", copies)
	}
	if _, err := r.Tell("m000001"); err != nil {
		t.Error(err)
	}
}

// A run in which nothing was measured has documents too, and they say so.
func TestEmptyRunReports(t *testing.T) {
	dir := t.TempDir()
	w, err := record.Create(dir, record.Info{ID: "empty", State: record.Running}, []byte("schema: aftershock/scenario/v1\nname: empty\nload:\n  phases:\n    - {name: calm, for: 1m, rate: 1/min}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(record.Info{ID: "empty", State: record.Finished}); err != nil {
		t.Fatal(err)
	}
	r, err := WriteAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != Invalid {
		t.Errorf("verdict %s of a run without messages", r.Verdict)
	}
	var text bytes.Buffer
	if err := r.Text(&text, false); err != nil || !strings.Contains(text.String(), "no message was offered") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// Nothing on the page may ask for anything outside of it, or run, whatever names and reasons contain.
func TestPageAsksForNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := synth.Write(dir, small); err != nil {
		t.Fatal(err)
	}
	run, err := record.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	sc, err := loadScenario(dir)
	if err != nil {
		t.Fatal(err)
	}
	const evil = `<script src="https://evil.example/x.js">alert(1)</script><img src=http://evil.example/y onerror=alert(2)>`
	run.Info.Scenario.Title, run.Info.Phases[1].Name, run.Info.Plan[1].Text, run.Info.Command = evil, evil, evil, evil
	sc.Thresholds[0].Says = evil
	r, err := Build(run, sc)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.html()
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 2<<20 {
		t.Errorf("the page has %d bytes", len(b))
	}
	page := string(b)
	if !strings.Contains(page, `content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`) {
		t.Error("the page has no strict content security policy")
	}
	harmless(t, b)
	if !strings.Contains(page, "&lt;script src=") {
		t.Error("the title is not on the page")
	}
	if md := string(r.markdown()); strings.Contains(md, "<script") || strings.Contains(md, "<img") {
		t.Error("Markdown carries HTML of the scenario")
	}
}

// harmless checks every element of a page: none loads anything, none runs anything.
func harmless(t *testing.T, page []byte) {
	t.Helper()
	allowed := map[string]bool{}
	for _, name := range strings.Fields("html head meta title style body header p span h1 h2 dl dt dd code nav ul li a main section div table thead tbody tr th td b i br small ol details summary pre figure figcaption svg desc g path line text image") {
		allowed[name] = true
	}
	elements := 0
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		elements++
		token := z.Token()
		if !allowed[token.Data] {
			t.Errorf("the page has an element %s", token)
		}
		for _, a := range token.Attr {
			outside := strings.Contains(a.Val, "//") && !strings.HasPrefix(a.Key, "xmlns") && !strings.HasPrefix(a.Val, "data:") && a.Key != "title" && a.Key != "content"
			switch {
			case strings.HasPrefix(a.Key, "on"), outside, strings.Contains(a.Val, "url("), strings.Contains(strings.ToLower(a.Val), "script:"):
				t.Errorf("the page has %s", token)
			case (a.Key == "href" || a.Key == "xlink:href" || a.Key == "src") && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "data:image/png;base64,"):
				t.Errorf("the page asks for %s", a.Val)
			}
		}
	}
	if elements < 500 {
		t.Errorf("only %d elements were checked", elements)
	}
}

func TestGitHub(t *testing.T) {
	o := small
	o.Healthy, o.Extra = true, 2
	r := shared(t, o)
	file := filepath.Join(t.TempDir(), "summary")
	env := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": file}
	var log bytes.Buffer
	if err := r.GitHub(func(k string) string { return env[k] }, &log); err != nil {
		t.Fatal(err)
	}
	if got, want := log.String(), "::error title=synthetic%3A no-duplicates missed::duplicates.copies: observed 2, want == 0\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(b, []byte("## ❌ MISSED: synthetic")) {
		t.Errorf("step summary: %v, %.60s", err, b)
	}
	log.Reset()
	if err := r.GitHub(func(string) string { return "" }, &log); err != nil || log.Len() > 0 {
		t.Errorf("outside of GitHub: %v, %q", err, log.String())
	}
}

func BenchmarkDocuments(b *testing.B) {
	dir := b.TempDir()
	if _, err := synth.Write(dir, synth.Options{Seed: 606}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := WriteAll(dir); err != nil {
			b.Fatal(err)
		}
	}
}

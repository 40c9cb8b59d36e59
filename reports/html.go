package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/reports/internal/chart"
	"github.com/aftershock-dev/aftershock/reports/record"
)

//go:embed page
var pageFiles embed.FS

// page is what report.html shows.
type page struct {
	Style                         template.CSS
	Verdict                       Verdict
	Class, Mark, VerdictWord      string
	Title, Sentence               string
	ExitCode                      int
	Info                          record.Info
	ShortSHA, ShortDigest         string
	Facts                         []pageFact
	Nav                           []pageLink
	ThresholdTitle, ThresholdWord string
	Thresholds                    []pageThreshold
	Story                         []pageSentence
	Parts                         []pagePart
	ScenarioText                  string
	Settings, Files               table
}

type pageFact struct{ Name, Text string }

type pageLink struct{ ID, Name string }

type pageThreshold struct {
	Class, Mark, Says, ID, Metric, When, Is, Observed, Margin, First string
	Spark                                                            template.HTML
}

type pageSentence struct {
	At, Clock, Text, Figure string
	Number                  int
}

type pagePart struct {
	ID, Title string
	Words     []string
	Figures   []pageFigure
	Tables    []table
}

type pageFigure struct {
	ID, Caption string
	SVG         template.HTML
	Marks       []string
	Numbers     table
}

// html is the report as one page that asks nothing of the network.
func (r *Report) html() ([]byte, error) {
	style, err := pageFiles.ReadFile("page/report.css")
	if err != nil {
		return nil, err
	}
	t, err := template.ParseFS(pageFiles, "page/report.html.tmpl")
	if err != nil {
		return nil, err
	}
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	p.Style = template.CSS(style)
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (r *Report) page() (page, error) {
	p := page{
		Verdict: r.Verdict, Mark: r.Verdict.mark(), Class: r.Words.class(r.Verdict), VerdictWord: r.Words.Upper(r.Verdict), Title: r.title(), Sentence: r.sentence(), ExitCode: r.ExitCode,
		Info: r.Info, ShortSHA: short(r.Info.Scenario.SHA256), ShortDigest: short(r.Info.Digest),
		ThresholdTitle: "Thresholds", ThresholdWord: "threshold", ScenarioText: string(r.Scenario.YAML()),
	}
	if r.speaks() {
		p.ThresholdTitle, p.ThresholdWord = "What the scenario states", "statement"
	}
	r.factList(func(name, text string) { p.Facts = append(p.Facts, pageFact{name, text}) })
	for _, t := range r.thresholdsInOrder() {
		p.Thresholds = append(p.Thresholds, r.pageThreshold(t))
	}
	for _, s := range r.Story() {
		p.Story = append(p.Story, pageSentence{At: FormatClock(s.At), Clock: r.wallClock(s.At), Text: s.Text, Figure: s.Figure, Number: s.Number})
	}
	p.Parts = r.parts()
	p.Settings = settingsTable(r.Info.Effective)
	var err error
	if p.Files, err = r.fileTable(); err != nil {
		return p, err
	}
	if len(p.Thresholds) > 0 {
		p.Nav = append(p.Nav, pageLink{"thresholds", p.ThresholdTitle})
	}
	p.Nav = append(p.Nav, pageLink{"story", "What happened"})
	for _, part := range p.Parts {
		p.Nav = append(p.Nav, pageLink{part.ID, part.Title})
	}
	p.Nav = append(p.Nav, pageLink{"method", "Method"})
	return p, nil
}

// parts is the body of the page: sections with their pictures and tables, in order.
func (r *Report) parts() []pagePart {
	figures := map[string]pageFigure{}
	for _, f := range r.figures() {
		figures[f.ID] = r.pageFigure(f)
	}
	var out []pagePart
	add := func(id, title string, words []string, ids string, tables ...table) {
		part := pagePart{ID: id, Title: title, Words: words, Tables: tables}
		for _, f := range strings.Fields(ids) {
			if fig, ok := figures[f]; ok {
				part.Figures = append(part.Figures, fig)
			}
		}
		if len(part.Figures)+len(part.Tables)+len(part.Words) > 0 {
			out = append(out, part)
		}
	}
	add("timeline", "Timeline", nil, "P10", r.eventTable())
	add("flow", "The flow of messages", nil, "P01 P02 P03 P04 P05 P06")
	add("behind", "Behind it", nil, "P07 P08 P09")
	if words := r.useWords(); words != "" {
		add("use", "What the parts used of the machine", []string{words + "."}, "P18", r.useTable())
	}
	tables := []table{r.accounting()}
	if c := r.causes(); len(c.Rows) > 0 {
		tables = append(tables, c)
	}
	if t := r.ambiguity(); len(t.Rows) > 0 {
		tables = append(tables, t)
	}
	add("accounting", "Where the messages went", nil, "", tables...)
	add("latency", "Delivery time", []string{"Counted from the instant a message was due, so free of coordinated omission, to the status delivered."}, "P12", r.latencyTable())
	add("dynamics", "How it went over, and came back", nil, "P11 P13", r.dynamics())
	if len(r.changes) > 0 {
		add("comparison", "Against the baseline", []string{r.comparisonWords()}, "", changesTable(r.changes, true))
	}
	words := []string{r.harnessSentence()}
	add("harness", "May this be believed?", append(words, r.Reasons...), "P17")
	return out
}

func (r *Report) harnessSentence() string {
	text := r.harnessWords()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func (r *Report) pageThreshold(t ThresholdResult) pageThreshold {
	p := pageThreshold{Class: r.Words.class(t.Verdict), Mark: t.Verdict.mark() + " " + r.statementWord(t), Says: t.Says, ID: t.ID, Metric: t.Metric, When: t.When(),
		Is: t.Is, Observed: t.Observed, Margin: marginText(t), First: firstText(t), Spark: spark(t)}
	if t.Warn() && t.Verdict != Met {
		p.Class = "warn"
	}
	return p
}

// spark is a small line of the metric over the threshold's window, with its limit.
func spark(t ThresholdResult) template.HTML {
	const w, h = 120.0, 26.0
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range append(append([]float64{}, t.Series...), t.Criterion.Limit) {
		if !math.IsNaN(v) && !isNever(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if len(t.Series) < 2 || hi <= lo {
		return ""
	}
	y := func(v float64) float64 { return h - 1 - (v-lo)/(hi-lo)*(h-2) }
	var path strings.Builder
	// One column a pixel, with its highest value.
	per := max(1, (len(t.Series)+int(w)-1)/int(w))
	pen := "M"
	for i := 0; i < len(t.Series); i += per {
		v := math.NaN()
		for _, x := range t.Series[i:min(i+per, len(t.Series))] {
			if !math.IsNaN(x) && !(v > x) {
				v = x
			}
		}
		if math.IsNaN(v) {
			pen = "M"
			continue
		}
		v = min(v, hi) // what never ends leaves at the top
		fmt.Fprintf(&path, "%s%.1f %.1f", pen, float64(i)/float64(len(t.Series)-1)*w, y(v))
		pen = "L"
	}
	limit := y(t.Criterion.Limit)
	return template.HTML(fmt.Sprintf(`<svg class="spark" role="img" aria-label="the metric over its window, dashed the limit" width="%g" height="%g" viewBox="0 0 %g %g" preserveAspectRatio="none"><line x1="0" x2="%g" y1="%.1f" y2="%.1f"/><path d="%s"/></svg>`, w, h, w, h, w, limit, limit, path.String()))
}

func (r *Report) pageFigure(f chart.Figure) pageFigure {
	p := pageFigure{ID: f.ID, Caption: f.Caption, SVG: template.HTML(f.SVG())}
	p.Numbers.Head, p.Numbers.Rows = f.Numbers(25)
	if f.ID == "P10" {
		return p
	}
	if len(f.Panels) > 0 && len(f.Panels[0].Marks) > 0 {
		for _, m := range f.Panels[0].Marks {
			p.Marks = append(p.Marks, fmt.Sprintf("(%d) %s", m.Number, m.Text))
		}
	}
	return p
}

func settingsTable(effective map[string]string) table {
	t := table{Head: []string{"setting", "value"}}
	for _, k := range sortedNames(effective) {
		t.Rows = append(t.Rows, []string{k, effective[k]})
	}
	return t
}

// fileTable lists the files of the record with their size and hash.
func (r *Report) fileTable() (table, error) {
	t := table{Head: []string{"file", "bytes", "SHA-256"}}
	dir := r.data.run.Dir
	if dir == "" {
		return t, nil
	}
	for _, name := range []string{record.FileScenario, record.FileInfo, record.FileEvents, record.FileGauges, record.FileMessages, record.FileAttempts, FileBaseline} {
		n, sum, err := hashFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, []string{name, grouped(n), sum})
	}
	return t, nil
}

func hashFile(path string) (int64, string, error) {
	f, err := files.Named(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return n, hex.EncodeToString(h.Sum(nil)), err
}

func short(s string) string { return s[:min(12, len(s))] }

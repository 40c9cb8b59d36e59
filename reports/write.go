package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/files"
)

// WriteAll rebuilds every document of a run's folder from its record.
func WriteAll(dir string) (*Report, error) {
	r, err := Open(dir)
	if err != nil {
		return nil, err
	}
	return r, r.Write(dir)
}

// Write leaves every document in a folder.
func (r *Report) Write(dir string) error {
	for _, doc := range documents() {
		if err := doc.write(dir, r); err != nil {
			return fmt.Errorf("write %s: %w", doc.name, err)
		}
	}
	return nil
}

// document is one of the files, or one folder of files, that a report leaves.
type document struct {
	name  string
	write func(dir string, r *Report) error
}

// documents lists what a report leaves; a new document is a new row.
func documents() []document {
	return []document{
		{"summary.json", one("summary.json", func(r *Report) ([]byte, error) { return r.summary.JSON() })},
		{"report.md", one("report.md", func(r *Report) ([]byte, error) { return r.markdown(), nil })},
		{"report.html", one("report.html", (*Report).html)},
		{"junit.xml", one("junit.xml", (*Report).junit)},
		{"bench.txt", one("bench.txt", func(r *Report) ([]byte, error) { return r.bench(), nil })},
		{"hdr", many("hdr", ".hgrm", func(r *Report) (map[string][]byte, error) {
			out := map[string][]byte{}
			for name, b := range r.histograms() {
				out[name+".hgrm"] = b
			}
			return out, nil
		})},
		{"plots", many("plots", ".svg .png", (*Report).plots)},
	}
}

// plotDPI is the resolution of the plots that are made of pixels.
const plotDPI = 144

// plots draws every figure as SVG and PNG.
func (r *Report) plots() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, f := range r.figures() {
		name := f.ID + "-" + f.Slug
		out[name+".svg"] = f.SVG()
		png, err := f.PNG(plotDPI)
		if err != nil {
			return nil, err
		}
		out[name+".png"] = png
	}
	return out, nil
}

// one makes a document of a single file.
func one(name string, content func(*Report) ([]byte, error)) func(string, *Report) error {
	return func(dir string, r *Report) error {
		b, err := content(r)
		if err != nil {
			return err
		}
		return files.Replace(filepath.Join(dir, name), b)
	}
}

// many makes a document of a folder, which then holds these files and no older ones of their kinds.
func many(name, kinds string, content func(*Report) (map[string][]byte, error)) func(string, *Report) error {
	return func(dir string, r *Report) error {
		made, err := content(r)
		if err != nil {
			return err
		}
		folder := filepath.Join(dir, name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := removeOld(folder, strings.Fields(kinds)); err != nil {
			return err
		}
		for _, file := range sortedNames(made) {
			if err := files.Replace(filepath.Join(folder, file), made[file]); err != nil {
				return err
			}
		}
		return nil
	}
}

// removeOld removes the files of some kinds from a folder, and nothing else.
func removeOld(folder string, kinds []string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && slices.Contains(kinds, filepath.Ext(e.Name())) {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

package reports

import (
	"fmt"
	"os"
	"path/filepath"
)

// WriteAll rebuilds every document of a run's folder from its record.
func WriteAll(dir string) (*Report, error) {
	r, err := Load(dir)
	if err != nil {
		return nil, err
	}
	return r, Write(dir, r)
}

// Write leaves every document of a report in a folder.
func Write(dir string, r *Report) error {
	for _, doc := range documents() {
		if err := doc.write(dir, r); err != nil {
			return fmt.Errorf("write %s: %w", doc.name, err)
		}
	}
	return nil
}

// document is one of the files a report leaves; a new one is a new row in documents.
type document struct {
	name  string
	write func(dir string, r *Report) error
}

func documents() []document {
	return []document{
		{"summary.json", one("summary.json", func(r *Report) ([]byte, error) { return r.summary.JSON() })},
	}
}

// one makes a document of a single file.
func one(name string, content func(*Report) ([]byte, error)) func(string, *Report) error {
	return func(dir string, r *Report) error {
		b, err := content(r)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), b, 0o644)
	}
}

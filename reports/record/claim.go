package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrTaken is returned for a folder that holds something already.
var ErrTaken = errors.New("the folder is taken")

// Vacant tells whether a run may be recorded in dir: it does not exist, or nothing is in it but what is hidden.
func Vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the run's folder: %w", err)
	}
	found := ""
	for _, e := range entries {
		if e.Name() == FileInfo {
			return fmt.Errorf("%s already holds a run: choose another folder or remove it (%w)", dir, ErrTaken)
		}
		if found == "" && !strings.HasPrefix(e.Name(), ".") && e.Name() != "lost+found" {
			found = e.Name()
		}
	}
	if found != "" {
		return fmt.Errorf("%s holds %s, which is not a run's: a run has a folder of its own (%w)", dir, found, ErrTaken)
	}
	return nil
}

// claim makes the folder, if need be, and takes it: of several runs that want it at once one gets it.
func claim(dir string, scenarioYAML []byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the run's folder: %w", err)
	}
	if err := Vacant(dir); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, FileScenario), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is being written by another run: choose another folder (%w)", dir, ErrTaken)
	}
	if err == nil {
		_, err = f.Write(scenarioYAML)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("write into the run's folder: %w", err)
	}
	return nil
}

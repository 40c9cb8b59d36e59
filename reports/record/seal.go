package record

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/aftershock-dev/aftershock/internal/files"
)

// ErrDamaged is what reading a record ends with whose files are not as its run left them.
var ErrDamaged = errors.New("the record was damaged")

// sealed are the files of a record besides run.json, which says what is in them once the run has ended.
var sealed = []string{FileScenario, FileEvents, FileGauges, FileMessages, FileAttempts}

// FileSum is what a file of a record has to be.
type FileSum struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func sumFile(path string) (FileSum, error) {
	f, err := files.Named(path)
	if err != nil {
		return FileSum{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return FileSum{n, hex.EncodeToString(h.Sum(nil))}, err
}

// sumFiles sums the files of a record up.
func sumFiles(dir string) (map[string]FileSum, error) {
	out := map[string]FileSum{}
	for _, name := range sealed {
		sum, err := sumFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		out[name] = sum
	}
	return out, nil
}

// sealOf is a sum over everything that an Info says.
func sealOf(info Info) string {
	info.Seal = ""
	b, err := json.Marshal(info)
	if err != nil { // an Info that was read, or is about to be written
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// intact checks an Info that was read against its own seal; one that was never sealed, of a run that goes on or of an
// older version, passes.
func (i *Info) intact() error {
	if i.Seal != "" && i.Seal != sealOf(*i) || i.Seal == "" && len(i.Files) > 0 {
		return fmt.Errorf("%w: %s is not as the run left it", ErrDamaged, FileInfo)
	}
	return nil
}

// Bind writes into run.json what baseline an ended run was judged by, so that neither can be changed without the other.
func Bind(dir, baseline string) error {
	info, err := LoadInfo(dir)
	if err != nil || info.Seal == "" {
		return err
	}
	info.Baseline = baseline
	info.Seal = sealOf(info)
	b, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return err
	}
	return writeAtomically(filepath.Join(dir, FileInfo), append(b, '\n'))
}

// Verify checks the files of an ended run against what run.json says of them, and names the first that differs. A run that
// goes on, or was written by a version that kept no sums, passes.
func Verify(dir string, info Info) error {
	for _, name := range sealed {
		want, ok := info.Files[name]
		if !ok {
			if len(info.Files) > 0 {
				return fmt.Errorf("%w: %s says nothing of %s", ErrDamaged, FileInfo, name)
			}
			continue
		}
		got, err := sumFile(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w: %s is gone", ErrDamaged, name)
		case err != nil:
			return err
		case got.Bytes != want.Bytes:
			return fmt.Errorf("%w: %s has %d bytes, and the run left %d", ErrDamaged, name, got.Bytes, want.Bytes)
		case got != want:
			return fmt.Errorf("%w: %s is not as the run left it", ErrDamaged, name)
		}
	}
	return nil
}

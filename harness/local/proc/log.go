package proc

import (
	"errors"
	"os"
	"path/filepath"
)

const (
	logName     = "log.txt"
	earlierName = "log-earlier.txt"
	mostLog     = 8 << 20 // bytes of a log; the one before it is kept as well, and then it begins anew
)

// boundedLog keeps the last of what a program prints.
type boundedLog struct {
	dir  string
	file *os.File
	size int64
	most int64
}

func openLog(dir string) (*boundedLog, error) {
	f, err := os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &boundedLog{dir, f, info.Size(), mostLog}, nil
}

// Write implements io.Writer. A disk that is full must not stop the program: what cannot be kept is dropped.
func (l *boundedLog) Write(p []byte) (int, error) {
	if l.size+int64(len(p)) > l.most && l.size > 0 {
		l.turn()
	}
	n, _ := l.file.Write(p)
	l.size += int64(n)
	return len(p), nil
}

// turn keeps what there is as the earlier log, and begins anew.
func (l *boundedLog) turn() {
	name := filepath.Join(l.dir, logName)
	if os.Rename(name, filepath.Join(l.dir, earlierName)) != nil {
		return
	}
	if f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644); err == nil {
		_ = l.file.Close()
		l.file, l.size = f, 0
	}
}

// Close implements io.Closer.
func (l *boundedLog) Close() error { return l.file.Close() }

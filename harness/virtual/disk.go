package virtual

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"syscall"
)

// Disk is files in memory that outlive whoever writes them, as those of a machine outlive a process. Writing takes no
// virtual time. The zero Disk is empty.
type Disk struct {
	mu    sync.Mutex
	files map[string]*DiskFile
	full  bool
	tear  func()
}

// DiskFile is one file of a Disk; it is written at its end.
type DiskFile struct {
	disk *Disk
	data []byte
}

// Fill lets every write fail for want of room from now on, or no longer. What a write that fails leaves behind is a part of
// what was to be written.
func (d *Disk) Fill(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = on
}

// Tear has the next write end in its middle and fail; ended is called between the two. nil calls it off.
func (d *Disk) Tear(ended func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tear = ended
}

// Append opens a file, making it where it is missing.
func (d *Disk) Append(name string) (*DiskFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files == nil {
		d.files = map[string]*DiskFile{}
	}
	f := d.files[name]
	if f == nil {
		f = &DiskFile{disk: d}
		d.files[name] = f
	}
	return f, nil
}

// Read opens a file as it is now.
func (d *Disk) Read(name string) (io.ReadCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(bytes.Clone(f.data))), nil
}

// Rename gives a file another name.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[from]
	if f == nil {
		return fmt.Errorf("rename %s: %w", from, fs.ErrNotExist)
	}
	delete(d.files, from)
	d.files[to] = f
	return nil
}

// Write adds to the end of the file.
func (f *DiskFile) Write(b []byte) (int, error) {
	d := f.disk
	d.mu.Lock()
	tear := d.tear
	d.tear = nil
	if !d.full && tear == nil {
		f.data = append(f.data, b...)
		d.mu.Unlock()
		return len(b), nil
	}
	n := len(b) / 2
	f.data = append(f.data, b[:n]...)
	d.mu.Unlock()
	if tear != nil {
		tear()
		return n, io.ErrShortWrite
	}
	return n, fmt.Errorf("write: %w", syscall.ENOSPC)
}

// ReadAt implements io.ReaderAt.
func (f *DiskFile) ReadAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return bytes.NewReader(f.data).ReadAt(b, off)
}

// Size is how long the file is.
func (f *DiskFile) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.data)), nil
}

// Truncate cuts the file off.
func (f *DiskFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if size < 0 || size > int64(len(f.data)) {
		return fmt.Errorf("truncate to %d of %d bytes: %w", size, len(f.data), fs.ErrInvalid)
	}
	f.data = f.data[:size]
	return nil
}

// Sync does nothing: what is written is there.
func (*DiskFile) Sync() error { return nil }

// Close does nothing.
func (*DiskFile) Close() error { return nil }

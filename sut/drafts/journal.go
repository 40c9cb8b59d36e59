package drafts

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// Journal is the books on disk: one line for everything that must not be forgotten when the process is killed. What is
// waiting stands in the queue; the journal tells what was begun, what became of it, and which keys were used. Lines
// are written by whoever has news and made durable together, a group at a time. A nil Journal forgets everything.
type Journal struct {
	disk   Disk
	synced bool
	boot   string // the start of the machine that what is written belongs to; noBoot: of none
	mu     sync.Mutex
	file   File
	next   *commit // collects lines
	busy   bool    // a commit is being written
	good   int64   // bytes of the file that are durable
	torn   bool    // the last write failed: what is behind good is cut off before the next
	unsaid []byte  // lines of groups that could not be written: the next group begins with them

	due    chan struct{} // lines wait that nobody waits for
	closed bool
	ended  sync.WaitGroup
}

// commit is a group of lines that become durable together.
type commit struct {
	lines   bytes.Buffer
	waiting int           // writers that wait for it
	lead    chan struct{} // makes one of them its writer
	done    chan struct{}
	err     error
}

// errJournalClosed is what a request that outlives its service is told.
var errJournalClosed = errors.New("the journal is closed: the service has ended")

const (
	journalFile = "books.journal"
	journalOld  = "books.journal.1"
)

// OpenJournal opens the journal in a directory, making both where they are missing. With synced each group of lines is
// synced to disk; without, it survives the end of the process but not of the machine.
func OpenJournal(dir string, synced bool) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return NewJournal(folder(dir), synced)
}

// NewJournal opens the journal on a disk.
func NewJournal(disk Disk, synced bool) (*Journal, error) {
	f, err := disk.Append(journalFile)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	good, err := trim(f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	j := &Journal{disk: disk, synced: synced, boot: noBoot, file: f, good: good, next: newCommit(), due: make(chan struct{}, 1)}
	if synced {
		j.boot = bootID()
	}
	j.next.lines.WriteString(lineOpened(j.boot) + "\n")
	j.ended.Go(func() {
		for range j.due {
			_ = j.write() // the failure is kept, and told to the next who waits
		}
	})
	return j, nil
}

// trim cuts a torn last line off, so that the next one does not stand behind it, and returns how long the file is then.
func trim(f File) (int64, error) {
	size, err := f.Size()
	if err != nil {
		return 0, err
	}
	const most = 1 << 20 // a line is far shorter
	tail := make([]byte, min(size, most))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	end := size - int64(len(tail)) + int64(bytes.LastIndexByte(tail, '\n')+1)
	if end == size {
		return size, nil
	}
	return end, f.Truncate(end)
}

func newCommit() *commit { return &commit{lead: make(chan struct{}, 1), done: make(chan struct{})} }

// Close syncs and closes the journal.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	close(j.due)
	j.mu.Unlock()
	j.ended.Wait()
	err := j.write()
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(err, j.file.Sync(), j.file.Close())
}

// later adds lines that nobody waits for; they become durable with the next group, at once if none is on its way.
func (j *Journal) later(lines ...string) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return errJournalClosed
	}
	for _, l := range lines {
		j.next.lines.WriteString(l)
		j.next.lines.WriteByte('\n')
	}
	select {
	case j.due <- struct{}{}:
	default:
	}
	return nil
}

// write adds lines and returns when they, and everything before them, are durable. Whoever comes first writes for all
// who come before it begins; one of those who come later writes the next group.
func (j *Journal) write(lines ...string) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	c := j.next
	for _, l := range lines {
		c.lines.WriteString(l)
		c.lines.WriteByte('\n')
	}
	c.waiting++
	if j.busy {
		j.mu.Unlock()
		select {
		case <-c.done:
			return c.err
		case <-c.lead:
		}
		j.mu.Lock()
	}
	j.busy, j.next = true, newCommit()
	file := j.file
	j.mu.Unlock()
	err := j.flush(file, c)
	c.err = err
	close(c.done)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.next.waiting > 0 {
		j.next.lead <- struct{}{}
	} else {
		j.busy = false
	}
	return err
}

// mostUnsaid bounds what is kept of groups that could not be written.
const mostUnsaid = 4 << 20

// flush makes a group durable. A disk that was full may have room again, so every group is tried; what a failed write left
// in the file is cut off first, and the lines that it was to write go before the next ones: they are still true.
func (j *Journal) flush(file File, c *commit) error {
	if c.lines.Len() == 0 && len(j.unsaid) == 0 {
		return nil
	}
	lines := append(j.unsaid, c.lines.Bytes()...)
	n, err := j.append(file, lines)
	if j.torn = err != nil; j.torn {
		if len(lines) <= mostUnsaid {
			j.unsaid = lines
		}
		return err
	}
	j.unsaid = nil
	j.good += n
	return nil
}

// append writes lines, makes them durable and says so in the file. It returns by how much the file has grown.
func (j *Journal) append(file File, lines []byte) (n int64, err error) {
	if j.torn {
		if err := file.Truncate(j.good); err != nil {
			return 0, fmt.Errorf("write the journal: %w", err)
		}
	}
	if _, err := file.Write(lines); err != nil {
		return 0, fmt.Errorf("write the journal: %w", err)
	}
	if !j.synced {
		return int64(len(lines)), nil
	}
	if err := file.Sync(); err != nil {
		return 0, fmt.Errorf("sync the journal: %w", err)
	}
	if !begins(lines) {
		return int64(len(lines)), nil
	}
	if _, err := io.WriteString(file, lineDurable+"\n"); err != nil {
		return 0, fmt.Errorf("write the journal: %w", err)
	}
	return int64(len(lines) + len(lineDurable) + 1), nil
}

// rotate begins a new file and forgets the one before the last. lines open the new file.
func (j *Journal) rotate(lines []string) error {
	if j == nil {
		return nil
	}
	if err := j.write(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.busy { // somebody writes to the old file; the next sweep tries again
		return nil
	}
	if err := j.disk.Rename(journalFile, journalOld); err != nil {
		return fmt.Errorf("rotate the journal: %w", err)
	}
	f, err := j.disk.Append(journalFile)
	if err != nil {
		return fmt.Errorf("rotate the journal: %w", err)
	}
	old := j.file
	j.file, j.good = f, 0
	for _, l := range append([]string{lineOpened(j.boot)}, lines...) {
		j.next.lines.WriteString(l + "\n")
	}
	return old.Close()
}

// replay reads both files, oldest first. A torn last line, which a kill can leave, is ignored; it was never promised. A
// line that cannot be read is passed over and counted: it stops nobody, and the lines behind it count.
func (j *Journal) replay(each func(words []string) error) (skipped []error, err error) {
	if j == nil {
		return nil, nil
	}
	for _, name := range []string{journalOld, journalFile} {
		f, err := j.disk.Read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return skipped, fmt.Errorf("read the journal: %w", err)
		}
		wrong, err := replayFile(f, each)
		_ = f.Close() // it was only read
		for _, w := range wrong {
			skipped = append(skipped, fmt.Errorf("%s, %w", name, w))
		}
		if err != nil {
			return skipped, fmt.Errorf("read the journal %s: %w", name, err)
		}
	}
	return skipped, nil
}

// mostLine bounds a line of the journal; a longer one is none.
const mostLine = 64 << 10

func replayFile(r io.Reader, each func(words []string) error) (skipped []error, err error) {
	in := bufio.NewReaderSize(r, mostLine)
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if errors.Is(err, io.EOF) {
			return skipped, nil
		}
		if err != nil {
			return skipped, err
		}
		wrong := errors.New("is too long")
		if !long {
			wrong = each(strings.Fields(string(line)))
		}
		if wrong != nil && len(skipped) < 1000 {
			skipped = append(skipped, fmt.Errorf("line %d: %w", n, wrong))
		}
	}
}

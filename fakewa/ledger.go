package fakewa

import (
	"sort"
	"sync"
	"time"
)

// Entry is one line of the ledger: an attempt and its fate, or a status of an accepted copy. Entries are numbered in
// the order in which they were known: an attempt that was accepted when that was decided, with the answer that it is to
// get; one that was not, when its answer left or its client gave up; a status when it took effect. When the client of an
// accepted attempt gives up before its answer, a line with the status unanswered says so.
type Entry struct {
	Seq      int64
	Status   string // "" for an attempt; delivered, read or failed for a status; unanswered
	Message  string // the marker found in the text, caption or link; "" when there was none
	Callback string // biz_opaque_callback_data
	WAMID    string
	To       string
	Text     string // of the message or its caption, as far as it is kept: 160 bytes around the marker, or its beginning
	Number   string // the business number's id
	Type     string
	Key      uint64    // the same for every copy of a message
	Copy     int       // which accepted copy this is, from 1; 0 when it was not accepted
	At       time.Time // when the request was read, or the status took effect
	Done     time.Time // when the answer left, is to leave, or would have
	Accepted bool
	Provider bool          // a copy that the API made by itself of a request that came once
	Answered int           // HTTP status that the client was sent; 0 when the answer was withheld or the client had gone
	Code     int           // Cloud API error code, 0 for none
	Media    bool          // it used media that was uploaded here, so how long that has to live is known
	Slack    time.Duration // life left in the media, negative when it had expired; only with Media
	Expired  bool          // refused or failed because media had expired
	Fault    string        // ids of the faults that touched it, joined by commas
}

// ledger holds every entry: as bytes in blocks, the newest in memory and the rest on disk, so that a million messages
// cost what the bound allows and nothing has to be looked through by the garbage collector.
type ledger struct {
	mu     sync.Mutex
	blocks []block // oldest first; the last one grows
	next   int64   // sequence number of the next entry
	memory int64   // bound in bytes
	held   int64   // bytes of blocks in memory
	spilt  int     // how many blocks are on disk, all of them before those in memory
	file   spill
	names  interner
	sum    Summary
	grown  chan struct{} // closed and replaced when entries arrive and someone waits
	waits  bool
	over   chan struct{} // closed and replaced when everything is forgotten
}

// block is a run of encoded entries.
type block struct {
	first int64  // sequence number of its first entry
	data  []byte // nil when it is on disk
	at    int64  // where in the file
	size  int
}

const blockSize = 256 << 10

func newLedger(memory int64, dir string) *ledger {
	return &ledger{next: 1, memory: memory, file: spill{dir: dir}, grown: make(chan struct{}), over: make(chan struct{}), sum: newSummary()}
}

// add numbers an entry and keeps it.
func (l *ledger) add(e *Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Seq = l.next
	l.next++
	if n := len(l.blocks); n == 0 || len(l.blocks[n-1].data) > blockSize-maxEntry {
		l.blocks = append(l.blocks, block{first: e.Seq, data: make([]byte, 0, blockSize)})
		l.held += blockSize
		l.shrink()
	}
	b := &l.blocks[len(l.blocks)-1]
	b.data = appendEntry(b.data, e, &l.names)
	l.sum.count(e)
	if l.waits {
		close(l.grown)
		l.grown, l.waits = make(chan struct{}), false
	}
}

// shrink moves the oldest blocks to disk until the bound holds; the one that grows stays. When the disk refuses, the
// block's detail is lost, which the summary tells.
func (l *ledger) shrink() {
	for l.held > max(l.memory, 2*blockSize) && l.spilt < len(l.blocks)-1 {
		b := &l.blocks[l.spilt]
		b.size = len(b.data)
		at, err := l.file.write(b.data)
		if err != nil {
			l.sum.Forgotten += l.blocks[l.spilt+1].first - b.first
			b.size = 0
		}
		b.at, b.data = at, nil
		l.held -= blockSize
		l.spilt++
	}
}

// after returns up to limit entries with a number above seq, in order; limit 0 means 1000.
func (l *ledger) after(seq int64, limit int) ([]Entry, error) {
	if limit <= 0 {
		limit = 1000
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq < 0 {
		seq = 0
	}
	if seq >= l.next-1 {
		return nil, nil
	}
	out := make([]Entry, 0, min(int64(limit), l.next-1-seq))
	i := max(0, sort.Search(len(l.blocks), func(i int) bool { return l.blocks[i].first > seq+1 })-1)
	for ; i < len(l.blocks) && len(out) < limit; i++ {
		b := &l.blocks[i]
		data := b.data
		if data == nil {
			var err error
			if data, err = l.file.read(b.at, b.size); err != nil {
				return out, err
			}
		}
		for at := b.first; len(data) > 0 && len(out) < limit; at++ {
			rest, record := cutEntry(data)
			if at > seq {
				out = append(out, readEntry(record, at, &l.names))
			}
			data = rest
		}
	}
	return out, nil
}

// grows returns a channel that is closed when the next entry arrives.
func (l *ledger) grows(seq int64) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq < l.next-1 {
		ready := make(chan struct{})
		close(ready)
		return ready
	}
	l.waits = true
	return l.grown
}

// change edits the summary.
func (l *ledger) change(f func(*Summary)) {
	l.mu.Lock()
	f(&l.sum)
	l.mu.Unlock()
}

// reset forgets everything.
func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file.close()
	l.blocks, l.next, l.held, l.spilt, l.sum = nil, 1, 0, 0, newSummary()
	close(l.over)
	l.over = make(chan struct{})
}

// ends returns a channel that is closed when everything is forgotten.
func (l *ledger) ends() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

// decided counts a decision.
func (l *ledger) decided(r *Request, d *Decision) {
	l.mu.Lock()
	l.sum.decided(r, d)
	l.mu.Unlock()
}

// late notes how late an answer left.
func (l *ledger) late(by time.Duration) {
	l.mu.Lock()
	l.sum.Late.note(by)
	l.mu.Unlock()
}

func (l *ledger) summary() Summary {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sum.clone()
}

// bound changes how much is held in memory.
func (l *ledger) bound(memory int64) {
	l.mu.Lock()
	l.memory = memory
	l.shrink()
	l.mu.Unlock()
}

func (l *ledger) close() {
	l.mu.Lock()
	l.file.close()
	l.mu.Unlock()
}

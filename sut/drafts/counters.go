package drafts

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// Counters are cumulative since the start.
type Counters struct {
	Creates      atomic.Int64 // requests to create that were worked on
	Created      atomic.Int64
	Replayed     atomic.Int64 // creates answered with the first result of their key
	Refused      atomic.Int64 // creates refused for want of room
	Sends        atomic.Int64
	SendFirst    atomic.Int64
	SendTimeouts atomic.Int64
	SendBusy     atomic.Int64 // answered with 503
	Redelivered  atomic.Int64
	InFlight     atomic.Int64 // calls to the WhatsApp service on their way
	Accepted     atomic.Int64
	Duplicates   atomic.Int64 // accepted although a draft of the same message had been
	Expired      atomic.Int64
	Failed       atomic.Int64
	Dead         atomic.Int64
	Unknown      atomic.Int64 // given up with an unknown outcome
	Held         atomic.Int64 // sends whose outcome was not known
	Resolved     atomic.Int64 // of those, resolved by a status
	ResolvedLate atomic.Int64 // resolved by a status after the hold was over
	Statuses     atomic.Int64
	Missing      atomic.Int64 // accepted drafts without any status in time
	Cancelled    atomic.Int64
	Stopped      atomic.Int64 // times a number's breaker opened
	Outages      atomic.Int64 // times the provider's breaker opened
	Unpaid       atomic.Int64 // retries that had to wait for the budget
	Vanished     atomic.Int64 // drafts of earlier processes that are not in the queue any more
	Skipped      atomic.Int64 // lines of the journal that could not be read at the start
}

// histogram counts durations in buckets that grow by an eighth; it is read by difference.
type histogram struct {
	counts [64 * 8]atomic.Int64
	mu     sync.Mutex
	before [64 * 8]int64
	sum    atomic.Int64
}

func bucket(d time.Duration) int {
	v := uint64(max(d, 0)) | 8
	n := bits.Len64(v) // position of the highest bit, at least 4
	return min((n-4)*8+int(v>>(n-4)&7), 64*8-1)
}

// middle is the duration in the middle of a bucket.
func middle(b int) time.Duration {
	shift := b / 8
	low := uint64(8+b%8) << shift
	return time.Duration(low + uint64(1)<<shift/2)
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(d)].Add(1)
	h.sum.Add(int64(d))
}

// cumulative counts what took no longer than 2.2 ms, twice that, and so on up to a minute or so.
func (h *histogram) cumulative() (n uint64, sum time.Duration, upTo map[float64]uint64) {
	upTo = map[float64]uint64{}
	bound, last := time.Duration(1)<<21, time.Duration(1)<<36
	for i := range h.counts {
		for bound <= last && middle(i) > bound {
			upTo[bound.Seconds()] = n
			bound *= 2
		}
		n += uint64(h.counts[i].Load())
	}
	return n, time.Duration(h.sum.Load()), upTo
}

// recent returns two quantiles of what was added since the last call; n is how many there were.
func (h *histogram) recent(qa, qb float64) (a, b time.Duration, n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var diff [64 * 8]int64
	for i := range diff {
		now := h.counts[i].Load()
		diff[i] = now - h.before[i]
		h.before[i] = now
		n += diff[i]
	}
	find := func(q float64) time.Duration {
		left := int64(q * float64(n))
		for i, c := range diff {
			if left -= c; left < 0 {
				return middle(i)
			}
		}
		return 0
	}
	if n > 0 {
		a, b = find(qa), find(qb)
	}
	return a, b, n
}

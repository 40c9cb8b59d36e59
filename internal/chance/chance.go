// Package chance draws every random choice of a run from a key: the seed, what is being decided, and for whom. There
// is no stream to share, so the order in which goroutines happen to ask never changes an answer.
package chance

// Source is one seed. The zero Source is a valid seed of its own.
type Source struct{ seed uint64 }

// New returns the source for a seed.
func New(seed int64) Source { return Source{mix(uint64(seed) + 0x9e3779b97f4a7c15)} }

// For returns the source for one purpose ("latency", "backoff"): draws for different purposes are independent.
func (s Source) For(purpose string) Source {
	h := s.seed ^ 0xcbf29ce484222325
	for i := range len(purpose) {
		h = (h ^ uint64(purpose[i])) * 0x100000001b3
	}
	return Source{mix(h)}
}

// Bits returns 64 uniform bits for the numbers that name what is decided: a message's number, an attempt's number.
func (s Source) Bits(ids ...uint64) uint64 {
	h := s.seed
	for _, id := range ids {
		h = mix(h ^ mix(id+0x9e3779b97f4a7c15))
	}
	return mix(h)
}

// Float returns a uniform number in [0,1) for the numbers that name what is decided.
func (s Source) Float(ids ...uint64) float64 { return float64(s.Bits(ids...)>>11) / (1 << 53) }

// Key turns a name into a number that Bits and Float take.
func Key(name string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	return mix(h)
}

// mix is the finaliser of MurmurHash3: every input bit moves every output bit.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

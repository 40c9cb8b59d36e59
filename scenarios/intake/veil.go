package intake

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/maphash"
)

// veil replaces words by keyed hashes: the same word gives the same hash, and only the key's holder can try words.
type veil struct {
	mac hash.Hash
	sum []byte
}

func newVeil(key []byte) (*veil, error) {
	if len(key) == 0 {
		key = make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return nil, fmt.Errorf("random key: %w", err)
		}
	}
	return &veil{mac: hmac.New(sha256.New, key)}, nil
}

// word hides a word; kind keeps a recipient and a key that read alike apart. No word stays none.
func (v *veil) word(kind byte, s string) id {
	if s == "" {
		return 0
	}
	v.mac.Reset()
	v.mac.Write([]byte{kind}) // a hash does not fail
	v.mac.Write([]byte(s))
	v.sum = v.mac.Sum(v.sum[:0])
	return id(binary.BigEndian.Uint64(v.sum) | 1)
}

// id is a hidden word; 0 is none.
type id uint64

// appendTo prints the id as a letter and 16 hexadecimal digits.
func (i id) appendTo(b []byte, kind byte) []byte {
	if i == 0 {
		return b
	}
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], uint64(i))
	return hex.AppendEncode(append(b, kind), raw[:])
}

// repeats remembers the last so many words.
type repeats struct {
	seed maphash.Seed
	seen map[uint64]struct{}
	ring []uint64
	next int
}

func newRepeats() *repeats {
	return &repeats{seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
}

// again reports whether a word is among those remembered, and remembers it.
func (r *repeats) again(word string) bool {
	h := maphash.String(r.seed, word)
	if _, ok := r.seen[h]; ok {
		return true
	}
	if len(r.ring) < repeatsKept {
		r.ring = append(r.ring, h)
	} else {
		delete(r.seen, r.ring[r.next])
		r.ring[r.next] = h
		r.next = (r.next + 1) % repeatsKept
	}
	r.seen[h] = struct{}{}
	return false
}

package record

import (
	"errors"
	"os"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// rows is one compressed file of many small rows. Adding a row costs its caller a copy under a mutex: batches of rows
// are encoded and compressed by whoever calls drain, normally the writer's own goroutine. When that one falls far
// behind, the caller of add encodes a batch itself, so memory stays bounded and nobody ever waits for a signal.
type rows[T any] struct {
	wake   chan struct{}
	encode func([]byte, *T) []byte

	mu    sync.Mutex
	batch []T
	queue [][]T // full batches, oldest first
	spare [][]T

	enc   sync.Mutex // taken before mu; held while a batch is encoded, so batches keep their order
	file  *os.File
	z     *zstd.Encoder
	buf   []byte
	dirty bool
	err   error
}

const (
	batchRows  = 1024
	maxBatches = 256 // batches that may wait to be encoded
)

func newRows[T any](path string, wake chan struct{}, encode func([]byte, *T) []byte) (*rows[T], error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	// One block at a time and no goroutines: rows may be encoded by a goroutine inside a bubble.
	z, err := zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &rows[T]{wake: wake, encode: encode, file: f, z: z, batch: make([]T, 0, batchRows)}, nil
}

func (r *rows[T]) add(row T) {
	r.mu.Lock()
	r.batch = append(r.batch, row)
	if len(r.batch) < batchRows {
		r.mu.Unlock()
		return
	}
	r.seal()
	behind := len(r.queue) > maxBatches
	r.mu.Unlock()
	if behind {
		r.one()
		return
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// seal queues the current batch and starts another; the caller holds mu.
func (r *rows[T]) seal() {
	if len(r.batch) == 0 {
		return
	}
	r.queue = append(r.queue, r.batch)
	if n := len(r.spare); n > 0 {
		r.batch, r.spare = r.spare[n-1], r.spare[:n-1]
		return
	}
	r.batch = make([]T, 0, batchRows)
}

// one encodes the oldest batch and reports whether there was one.
func (r *rows[T]) one() bool {
	r.enc.Lock()
	defer r.enc.Unlock()
	r.mu.Lock()
	if len(r.queue) == 0 {
		r.mu.Unlock()
		return false
	}
	batch := r.queue[0]
	r.queue = r.queue[1:]
	r.mu.Unlock()

	r.buf = r.buf[:0]
	for i := range batch {
		r.buf = append(r.encode(r.buf, &batch[i]), '\n')
	}
	_, err := r.z.Write(r.buf)
	r.dirty = true
	if err != nil && r.err == nil {
		r.err = err
	}

	clear(batch)
	r.mu.Lock()
	if len(r.spare) < 4 {
		r.spare = append(r.spare, batch[:0])
	}
	r.mu.Unlock()
	return true
}

// drain encodes all full batches.
func (r *rows[T]) drain() error {
	for r.one() {
	}
	r.enc.Lock()
	defer r.enc.Unlock()
	return r.err
}

// flush brings everything added so far into the file.
func (r *rows[T]) flush() error {
	r.mu.Lock()
	r.seal()
	r.mu.Unlock()
	err := r.drain()
	r.enc.Lock()
	defer r.enc.Unlock()
	if !r.dirty || err != nil {
		return err
	}
	r.dirty = false
	return r.z.Flush()
}

func (r *rows[T]) close() error {
	err := r.flush()
	return errors.Join(err, r.z.Close(), r.file.Close())
}

package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// deadList holds dead letters by number, oldest first.
type deadList struct {
	letters []deadLetter // ascending numbers
	last    uint64
}

type deadLetter struct {
	number uint64
	item   Item
	reason string
	since  time.Time
}

func (d *deadList) len() int { return len(d.letters) }

func (d *deadList) add(it Item, reason string, now time.Time) {
	d.last++
	d.letters = append(d.letters, deadLetter{d.last, it, reason, now})
}

// find returns where the letter is, or where the next one is.
func (d *deadList) find(number uint64) (int, bool) {
	return slices.BinarySearchFunc(d.letters, number, func(l deadLetter, n uint64) int {
		switch {
		case l.number < n:
			return -1
		case l.number > n:
			return 1
		}
		return 0
	})
}

func (d *deadList) remove(i int) { d.letters = slices.Delete(d.letters, i, i+1) }

// parseDead reads a dead letter's name.
func parseDead(id string) (uint64, error) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("dead letter %q: %w", id, ErrNotFound)
	}
	return n, nil
}

// DeadLetters implements Queue.
func (q *Memory) DeadLetters(_ context.Context, after string, limit int) ([]DeadItem, error) {
	var number uint64
	if after != "" {
		var err error
		if number, err = parseDead(after); err != nil {
			return nil, err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, ErrClosed
	}
	i, _ := q.dead.find(number + 1)
	var found []DeadItem
	for _, l := range q.dead.letters[i:min(len(q.dead.letters), i+max(limit, 0))] {
		found = append(found, DeadItem{strconv.FormatUint(l.number, 10), l.item, l.reason, l.since})
	}
	return found, nil
}

// Replay implements Queue.
func (q *Memory) Replay(_ context.Context, id string) error {
	number, err := parseDead(id)
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	i, ok := q.dead.find(number)
	if !ok {
		return fmt.Errorf("dead letter %q: %w", id, ErrNotFound)
	}
	it := q.dead.letters[i].item
	it.NotBefore = time.Time{}
	if err := q.add(time.Now(), it); err != nil {
		return err
	}
	q.dead.remove(i)
	return nil
}

// Purge implements Queue.
func (q *Memory) Purge(_ context.Context, id string) error {
	number, err := parseDead(id)
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	i, ok := q.dead.find(number)
	if !ok {
		return fmt.Errorf("dead letter %q: %w", id, ErrNotFound)
	}
	q.dead.remove(i)
	return nil
}

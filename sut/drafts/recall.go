package drafts

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// What a service that starts reads in the journal.

// recall fills the books from the journal.
func (s *Service) recall() error {
	b := s.books
	now := time.Now()
	b.turned = now
	r := recaller{s: s, boot: noBoot, loose: map[string]int{}}
	skipped, err := s.w.Journal.replay(r.line)
	if s.w.Journal != nil {
		r.opened(s.w.Journal.boot)
	}
	s.count.Skipped.Store(int64(len(skipped)))
	for _, why := range skipped[:min(len(skipped), 20)] {
		s.w.Log.Warn("a line of the journal cannot be read and is passed over", "why", why)
	}
	return err
}

// recaller reads the lines of one process after the other.
type recaller struct {
	s     *Service
	boot  string         // when the machine of the process was started
	loose map[string]int // drafts whose attempt begins in a group that is not known to be durable; the attempt before, or 0
}

// line takes in one line.
func (r *recaller) line(w []string) error {
	if len(w) < 2 {
		return errors.New("has too few words")
	}
	id := w[1]
	was, begun := r.s.books.begun[id]
	switch {
	case w[0] == "O":
		r.opened(id)
		return nil
	case strings.Join(w, " ") == lineDurable:
		clear(r.loose)
		return nil
	}
	if err := r.s.recallLine(w); err != nil {
		return err
	}
	switch n := r.s.books.begun[id]; {
	case w[0] != "B":
		delete(r.loose, id)
	case !begun || n != was:
		r.loose[id] = was
	}
	return nil
}

// opened is for the next process. What the last one had not made durable it had not acted on: those attempts were not
// made, unless the machine was started anew meanwhile and has forgotten what was written after them.
func (r *recaller) opened(boot string) {
	if boot == r.boot && boot != noBoot {
		for id, was := range r.loose {
			if was == 0 {
				delete(r.s.books.begun, id)
			} else {
				r.s.books.begun[id] = was
			}
		}
	}
	clear(r.loose)
	r.boot = boot
}

// recallLine takes in one line of the journal.
func (s *Service) recallLine(w []string) error {
	b := s.books
	if len(w) < 2 {
		return errors.New("has too few words")
	}
	if w[0] == "#" {
		return nil
	}
	if w[0] == "P" || w[0] == "R" {
		return s.stops.recall(w)
	}
	id := w[1]
	ref := wire.MessageOf(id)
	m, _ := b.message(ref)
	switch w[0] {
	case "C":
		if len(w) != 6 {
			return fmt.Errorf("%d words", len(w))
		}
		if !m.best.Finished() {
			b.survey.recalled(id, "C")
		}
		return b.recallCreated(id, ref, m, w)
	case "B":
		n, err := strconv.Atoi(w[len(w)-1])
		if err != nil || len(w) != 3 {
			return fmt.Errorf("attempt %q", w[len(w)-1])
		}
		b.begun[id] = n
		delete(b.proved, id)
		b.survey.recalled(id, "B")
		return nil
	case "L":
		delete(b.begun, id)
		return nil
	case "F", "S":
		if len(w) < 3 {
			return fmt.Errorf("%d words", len(w))
		}
		n, err := strconv.Atoi(w[2])
		if err != nil || n < 0 || n >= int(states) {
			return fmt.Errorf("state %q", w[2])
		}
		to := State(n)
		if _, begun := b.begun[id]; begun && w[0] == "S" && to.Taken() {
			b.proved[id] = true
		}
		delete(b.begun, id)
		b.survey.recalled(id, w[0])
		if to.rank() > m.best.rank() || w[0] == "S" && to == Failed && m.best.rank() <= Sent.rank() {
			m.best = to
		}
		if len(w) > 3 {
			why, err := unword(w[3])
			if err != nil {
				return err
			}
			m.reason = b.reason(why)
		}
		if to.Taken() {
			m.taken = max(m.taken, 1)
		}
		b.put(ref, m)
	default:
		return fmt.Errorf("begins with %q", w[0])
	}
	return nil
}

func (b *books) recallCreated(id, ref string, m message, w []string) error {
	print, err1 := strconv.ParseUint(w[3], 16, 64)
	tenant, err2 := unword(w[4])
	key, err3 := unword(w[5])
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	m.print = print
	b.put(ref, m)
	if key != "" && !(tenant == "" && key == ref) {
		b.keys[tenant+"\x00"+key] = keyed{id, print}
	}
	return nil
}

package drafts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/aftershock-dev/aftershock/sut/queue"
	"github.com/aftershock-dev/aftershock/sut/wire"
)

// An item's body in the queue is the draft as the front door wrote it, behind a line with what has happened to it
// since: how often it was sent, how many of those sends counted against its attempts, how many had an unknown outcome,
// and at which delivery that was written down. A draft that is taken by another process goes on from there.

// past is what has happened to a draft so far.
type past struct{ attempts, counted, unknowns, delivery int }

// pack puts a past before a draft's JSON.
func pack(p past, draft []byte) []byte {
	b := make([]byte, 0, len(draft)+16)
	b = strconv.AppendInt(b, int64(p.attempts), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(p.counted), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(p.unknowns), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(p.delivery), 10)
	b = append(b, '\n')
	return append(b, draft...)
}

// unpack undoes pack.
func unpack(body []byte) (p past, draft []byte, err error) {
	line, draft, ok := bytes.Cut(body, []byte{'\n'})
	if !ok {
		return past{}, nil, fmt.Errorf("queue item of %d bytes has no envelope", len(body))
	}
	for i, to := range []*int{&p.attempts, &p.counted, &p.unknowns, &p.delivery} {
		word, rest, more := bytes.Cut(line, []byte{' '})
		if *to, err = strconv.Atoi(string(word)); err != nil || more == (i == 3) {
			return past{}, nil, fmt.Errorf("queue item's envelope %q cannot be read", line)
		}
		line = rest
	}
	return p, draft, nil
}

// adopt finds the books' record of a claimed item, or makes one from the item's body when another process took the
// draft in. lost says that an earlier delivery of the item was never settled: whether it was sent nobody knows.
func (s *Service) adopt(it *queue.Item) (d *draft, body []byte, lost bool, err error) {
	p, body, err := unpack(it.Body)
	if err != nil {
		return nil, nil, false, err
	}
	lost = it.Delivery > p.delivery+1
	s.books.mu.Lock()
	d = s.books.open[it.ID]
	s.books.mu.Unlock()
	if d != nil {
		return d, body, lost, nil
	}
	var w wire.Draft
	if err := json.Unmarshal(body, &w); err != nil {
		return nil, nil, false, fmt.Errorf("draft %s in the queue cannot be read: %w", it.ID, err)
	}
	d = s.books.add(&w, it.Enqueued, p)
	return d, body, lost, nil
}

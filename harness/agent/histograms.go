package agent

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/aftershock-dev/aftershock/harness"
)

// Histograms are the three distributions that an agent keeps, in microseconds with three digits.
type Histograms struct {
	Response *hdrhistogram.Histogram // from scheduled to the last answer, of every message
	Service  *hdrhistogram.Histogram // from sent to done, of every attempt
	Lateness *hdrhistogram.Histogram // from scheduled to sent, of every message
}

// longest is the longest time that is told apart; what took longer counts as this.
const longest = 24 * time.Hour

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longest.Microseconds(), 3)
}

// NewHistograms returns empty ones.
func NewHistograms() Histograms {
	return Histograms{Response: newHistogram(), Service: newHistogram(), Lateness: newHistogram()}
}

// Add counts a row in, whose message was scheduled at that offset.
func (h Histograms) Add(r harness.Hit, scheduled time.Duration) {
	if len(r.Tries) == 0 {
		return
	}
	count(h.Lateness, r.Tries[0].At-scheduled)
	count(h.Response, r.Tries[len(r.Tries)-1].Done-scheduled)
	for _, a := range r.Tries {
		count(h.Service, a.Done-a.At)
	}
}

func count(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d, 0), longest).Microseconds()) // within its bounds by now
}

func (h Histograms) all() []*hdrhistogram.Histogram {
	return []*hdrhistogram.Histogram{h.Response, h.Service, h.Lateness}
}

// merge adds another agent's histograms; nothing of them may get lost.
func (h Histograms) merge(from Histograms) error {
	mine := h.all()
	for i, other := range from.all() {
		if dropped := mine[i].Merge(other); dropped > 0 {
			return fmt.Errorf("merge histograms: %d values did not fit", dropped)
		}
	}
	return nil
}

// encode writes them in HdrHistogram's own compressed form.
func (h Histograms) encode() ([][]byte, error) {
	var out [][]byte
	for _, x := range h.all() {
		b, err := x.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return nil, fmt.Errorf("encode a histogram: %w", err)
		}
		out = append(out, b)
	}
	return out, nil
}

func decodeHistograms(encoded [][]byte) (Histograms, error) {
	if len(encoded) != 3 {
		return Histograms{}, fmt.Errorf("%d histograms instead of 3", len(encoded))
	}
	var h [3]*hdrhistogram.Histogram
	for i, b := range encoded {
		if err := small(b); err != nil {
			return Histograms{}, fmt.Errorf("decode a histogram: %w", err)
		}
		x, err := hdrhistogram.Decode(b)
		if err != nil {
			return Histograms{}, fmt.Errorf("decode a histogram: %w", err)
		}
		h[i] = x
	}
	return Histograms{Response: h[0], Service: h[1], Lateness: h[2]}, nil
}

// mostCounts bounds what a histogram inflates to: its counts, at nine bytes each, are fewer.
const mostCounts = 1 << 20

// small refuses what would inflate to more than any histogram of ours does. The library inflates all there is.
func small(encoded []byte) error {
	const head = 8 // cookie and length
	raw, err := base64.StdEncoding.DecodeString(string(encoded))
	if err != nil || len(raw) < head {
		return errors.New("it is cut off")
	}
	z, err := zlib.NewReader(bytes.NewReader(raw[head:]))
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(z, mostCounts+1))
	if n > mostCounts {
		return errors.New("it is larger than any that an agent keeps")
	}
	return err
}

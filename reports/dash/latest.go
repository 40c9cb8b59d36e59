package dash

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"time"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/reports/record"
)

// Latest returns the last reading of the run's gauges, or nil before the first one.
func (h *Hub) Latest() map[string]float64 { return h.last().Values }

// Now is the instant of the last reading.
func (h *Hub) Now() time.Duration { return h.last().At }

// last reads the end of the file, so nothing has to be kept for it.
func (h *Hub) last() (g record.Gauge) {
	f, err := files.Open(filepath.Join(h.dir, record.FileGauges))
	if err != nil {
		return record.Gauge{}
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return record.Gauge{}
	}
	for n := int64(64 << 10); ; n *= 4 {
		from := max(end-n, 0)
		b := make([]byte, end-from)
		if _, err := f.ReadAt(b, from); err != nil {
			return record.Gauge{}
		}
		last := bytes.LastIndexByte(b, '\n')
		if last >= 0 {
			line := b[:last]
			start := bytes.LastIndexByte(line, '\n') + 1
			if start > 0 || from == 0 {
				if json.Unmarshal(line[start:], &g) != nil {
					return record.Gauge{}
				}
				return g
			}
		}
		if from == 0 || n > 4<<20 {
			return record.Gauge{}
		}
	}
}

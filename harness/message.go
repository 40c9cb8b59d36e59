package harness

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aftershock-dev/aftershock/internal/chance"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// message is one thing a user wants delivered. Everything about it follows from the seed and its number.
type message struct {
	number uint64 // 1, 2, …
	to     string
	kind   string
	class  string
	tenant string
	media  string // link, for kinds that carry media
	loose  bool   // its text may change on its way
}

// id is the message's name for life: m000001.
func (m message) id() string { return messageID(m.number) }

// ref is the marker that the fake's ledger looks for; it travels in the text, or in the caption of media.
func (m message) ref() string { return "[ref:" + m.id() + "]" }

func messageID(n uint64) string {
	s := strconv.FormatUint(n, 10)
	if len(s) < 6 {
		s = "000000"[len(s):] + s
	}
	return "m" + s
}

// messageNumber inverts messageID; ok is false for anything else.
func messageNumber(id string) (uint64, bool) {
	if len(id) < 7 || id[0] != 'm' {
		return 0, false
	}
	n, err := strconv.ParseUint(id[1:], 10, 64)
	return n, err == nil && n > 0
}

// mint makes messages.
type mint struct {
	recipient, kind, tenant chance.Source
	kinds                   []kindShare
	recipients              int
	zipf                    []float64 // cumulative weights by rank; nil for uniform
	class                   string
	tenants                 int
	mediaBase               string
	size                    int
	rows                    []scenarios.Arrival // of a trace; nil with phases
	numbers                 []string            // recipients; nil makes them up
}

type kindShare struct {
	kind string
	upTo float64
}

func newMint(m scenarios.Messages, seed int64, mediaBase string) (*mint, error) {
	src := chance.New(seed)
	out := &mint{
		recipient: src.For("recipient"), kind: src.For("type"), tenant: src.For("tenant"),
		recipients: m.Recipients, class: m.Class, tenants: m.Tenants, mediaBase: mediaBase, size: m.Size,
	}
	if out.recipients <= 0 {
		out.recipients = 20000
	}
	if out.size <= 0 {
		out.size = 2048
	}
	names := make([]string, 0, len(m.Mix))
	for k := range m.Mix {
		names = append(names, k)
	}
	slices.Sort(names)
	sum := 0.0
	for _, k := range names {
		sum += float64(m.Mix[k])
		out.kinds = append(out.kinds, kindShare{k, sum})
	}
	if len(out.kinds) == 0 {
		out.kinds = []kindShare{{"text", 1}}
	} else if math.Abs(sum-1) > 1e-6 {
		return nil, fmt.Errorf("messages.mix: the shares sum to %g%%, not 100%%", sum*100)
	}
	if m.Skew != "" {
		s, ok := strings.CutPrefix(m.Skew, "zipf(")
		exp, err := strconv.ParseFloat(strings.TrimSuffix(s, ")"), 64)
		if !ok || err != nil || exp <= 0 || !strings.HasSuffix(s, ")") {
			return nil, fmt.Errorf("messages.skew: %q is not zipf(EXPONENT), such as zipf(1.1)", m.Skew)
		}
		out.zipf = make([]float64, out.recipients)
		total := 0.0
		for i := range out.zipf {
			total += math.Pow(float64(i+1), -exp)
			out.zipf[i] = total
		}
	}
	return out, nil
}

// make returns message n.
func (m *mint) make(n uint64) message {
	msg := message{number: n, class: m.class, kind: m.kinds[len(m.kinds)-1].kind}
	u := m.kind.Float(n)
	for _, k := range m.kinds {
		if u < k.upTo {
			msg.kind = k.kind
			break
		}
	}
	rank := 0
	if v := m.recipient.Float(n); m.zipf == nil {
		rank = int(v * float64(m.recipients))
	} else {
		rank, _ = slices.BinarySearch(m.zipf, v*m.zipf[len(m.zipf)-1])
	}
	// +1 555 01xx xxxx: the range that the North American numbering plan keeps for fiction, widened.
	msg.to = "1555" + strconv.Itoa(10_000_000 + rank)[1:]
	if m.numbers != nil {
		msg.to = m.numbers[rank]
	}
	if m.tenants > 1 {
		msg.tenant = "t" + strconv.Itoa(1+int(m.tenant.Float(n)*float64(m.tenants)))
	}
	size := m.size
	if m.rows != nil {
		row := m.rows[n-1]
		if row.To != "" {
			msg.to = row.Number()
		}
		if row.Type != "" {
			msg.kind = row.Type
		}
		if row.Size > 0 {
			size = row.Size
		}
	}
	switch msg.kind {
	case "image", "video", "audio", "document", "sticker":
		msg.media = m.mediaBase + "/" + msg.kind + "/" + strconv.Itoa(size) + "?ref=" + msg.id()
	}
	return msg
}

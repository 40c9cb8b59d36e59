package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/aftershock-dev/aftershock/sut/wire"
)

// The bounds of a batch.
const (
	maxBatch      = 100
	maxBatchBytes = 2 << 20
	batchAtOnce   = 8 // messages of one batch that are taken in at a time
)

// BatchResult is what became of one message of a batch.
type BatchResult struct {
	Index  int             `json:"index"`
	Status int             `json:"status"`
	Answer json.RawMessage `json:"answer"`
}

// batch is POST /v1/messages/batch: {"messages":[…]}. Every message is taken or refused by itself, as if it had come
// alone, with the batch's Idempotency-Key and its own place in the batch as its key. The answer is 207 with one result
// for each.
func (s *Service) batch(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBatchBytes+1))
	if err != nil {
		return // the caller has gone
	}
	var in struct {
		Messages []json.RawMessage `json:"messages"`
	}
	refuse := func(status int, code, says, hint string) {
		(&wire.Refusal{Status: status, Code: code, Says: says, Hint: hint}).Write(w)
	}
	switch {
	case len(body) > maxBatchBytes:
		refuse(http.StatusRequestEntityTooLarge, "too_large", "a batch has at most 2 MiB", "send it in parts")
		return
	case json.Unmarshal(body, &in) != nil:
		refuse(http.StatusBadRequest, "bad_json", "the batch cannot be read", `send {"messages":[{"to":"+15551234567","text":"Hello"}]}`)
		return
	case len(in.Messages) == 0 || len(in.Messages) > maxBatch:
		refuse(http.StatusUnprocessableEntity, "bad_batch", "a batch has 1 to "+strconv.Itoa(maxBatch)+" messages, not "+strconv.Itoa(len(in.Messages)), "send it in parts")
		return
	}
	results := make([]BatchResult, len(in.Messages))
	var work sync.WaitGroup
	turns := make(chan int)
	for range min(batchAtOnce, len(in.Messages)) {
		work.Go(func() {
			for i := range turns {
				results[i] = s.one(r.Context(), r.Header, i, in.Messages[i])
			}
		})
	}
	for i := range in.Messages {
		turns <- i
	}
	close(turns)
	work.Wait()
	wire.WriteJSON(w, http.StatusMultiStatus, map[string]any{"results": results})
}

// one takes one message of a batch in, by the same door as any other.
func (s *Service) one(ctx context.Context, h http.Header, i int, message []byte) BatchResult {
	place := strconv.Itoa(i + 1)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/v1/messages", bytes.NewReader(message))
	if err != nil {
		return BatchResult{Index: i, Status: http.StatusInternalServerError, Answer: json.RawMessage(`{}`)}
	}
	if key := h.Get(wire.HeaderKey); key != "" {
		r.Header.Set(wire.HeaderKey, key+"/"+place)
	}
	if id := h.Get(wire.HeaderRequest); wire.ValidRequest(id) {
		ref, attempt, dotted := strings.Cut(id, ".")
		id = ref + "-" + place
		if dotted {
			id += "." + attempt
		}
		r.Header.Set(wire.HeaderRequest, id)
	}
	rec := &record{header: http.Header{}, status: http.StatusOK}
	func() {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				panic(p)
			} else if p != nil {
				rec.status, rec.body = http.StatusBadGateway, *bytes.NewBufferString(`{"error":{"code":"broken","message":"the replica ended while it worked on this message","hint":"send it again with the same Idempotency-Key"}}`)
			}
		}()
		s.handler.ServeHTTP(rec, r)
	}()
	return BatchResult{Index: i, Status: rec.status, Answer: json.RawMessage(rec.body.Bytes())}
}

// record is an answer that is kept.
type record struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *record) Header() http.Header         { return r.header }
func (r *record) WriteHeader(status int)      { r.status = status }
func (r *record) Write(b []byte) (int, error) { return r.body.Write(b) }

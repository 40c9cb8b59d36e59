package sut

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestStatusesComeTwiceLateAndOutOfOrder(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		w.api.statuses = false
		w.post(t.Context(), "m1", 1, text("m1"))
		settle(5 * time.Second)
		callback := w.api.calls[0]
		if got := w.api.tell(1, callback, "read", "forged"); got != 401 {
			t.Errorf("a webhook with a wrong signature was answered %d, want 401", got)
		}
		if got := w.state("m1"); got != "accepted" {
			t.Errorf("after a forged status: %s, want accepted", got)
		}
		for _, status := range []string{"read", "delivered", "sent", "read"} { // read comes first and stays
			if got := w.api.tell(1, callback, status, "s"); got != 200 {
				t.Errorf("%s was answered %d", status, got)
			}
			if got := w.state("m1"); got != "read" {
				t.Errorf("after %s: %s, want read", status, got)
			}
		}
	})
}

func TestStatusThatNeverComesIsMissed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		w.post(t.Context(), "m1", 1, text("m1"))
		settle(10 * time.Second)
		w.api.statuses = false
		w.post(t.Context(), "m2", 1, text("m2"))
		settle(10 * time.Minute)
		if n := w.sender.Stats().Missing; n != 0 {
			t.Errorf("%d statuses are missing after ten minutes, want 0", n)
		}
		settle(10 * time.Minute)
		if n := w.sender.Stats().Missing; n != 1 {
			t.Errorf("%d statuses are missing after twenty minutes, want that of m2", n)
		}
	})
}

func TestMediaIsFetchedOnceForManyAndNotAgainWhenItIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := hardenedWorld(t, "")
		defer w.close()
		var fetched, missed atomic.Int64
		w.net.hosts["files"] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "gone") {
				missed.Add(1)
				rw.WriteHeader(http.StatusNotFound)
				return
			}
			fetched.Add(1)
			rw.Header().Set("Content-Type", "image/jpeg")
			_, _ = rw.Write(make([]byte, 1024))
		})
		send := func(from, to int, file string) {
			for i := from; i < to; i++ {
				id := fmt.Sprintf("m%03d", i)
				w.post(t.Context(), id, 1, strings.Replace(image(id), "files/"+id, "files/"+file, 1))
			}
			settle(2 * time.Minute)
		}
		send(0, 10, "cat")
		send(10, 15, "gone")
		if fetched.Load() != 1 || missed.Load() != 1 || w.sender.Stats().Uploads != 1 {
			t.Errorf("ten messages with one link: %d fetches, %d uploads; five with a link that is gone: %d fetches; want 1 each",
				fetched.Load(), w.sender.Stats().Uploads, missed.Load())
		}
		settle(50 * time.Minute) // ten minutes of its hour are left: within the margin
		send(20, 25, "cat")
		send(30, 32, "gone")
		if fetched.Load() != 2 || missed.Load() != 2 {
			t.Errorf("near the end of its life: %d fetches; a quarter of an hour after it was gone: %d; want 2 each", fetched.Load(), missed.Load())
		}
		if st := w.sender.Stats(); st.MediaErrors != 0 || st.Accepted != 15 {
			t.Errorf("%d media errors, %d accepted, want 0 and 15", st.MediaErrors, st.Accepted)
		}
	})
}

func TestTraceFollowsAMessageAndNothingTellsItsBody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		spans := tracetest.NewInMemoryExporter()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
		var log bytes.Buffer
		w := wiredWorld(t, preset(t, "hardened"), func(w *Wiring) {
			w.Token, w.Operator = "very-secret-token", "operators-secret"
			w.Tracer = provider.Tracer("test")
			w.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		w.post(t.Context(), "m1", 1, `{"to":"+15551","text":"very private words"}`)
		settle(10 * time.Second)
		w.api.decide = func(uint64, string) (int, string, bool) {
			return 403, `{"error":{"code":131031,"message":"locked"}}`, false
		}
		settle(10 * time.Second)
		w.post(t.Context(), "m2", 1, `{"to":"+15552","text":"very private words"}`)
		settle(10 * time.Second)
		w.close()
		told := log.String()
		names := map[string][]string{}
		for _, s := range spans.GetSpans() {
			told += fmt.Sprint(s.Name, s.Attributes, s.Events, s.Status)
			trace := s.SpanContext.TraceID().String()
			names[trace] = append(names[trace], s.Name)
		}
		if len(names) != 2 {
			t.Errorf("%d traces of two messages: %v", len(names), names)
		}
		whole := false
		for _, steps := range names {
			whole = whole || slices.Equal(steps, []string{"accept", "cloud api", "send", "status delivered"})
		}
		if !whole {
			t.Errorf("no trace goes from the front door over the send to the status: %v", names)
		}
		if !strings.Contains(log.String(), "breaker is open") {
			t.Errorf("the log does not tell of a number that was stopped: %s", &log)
		}
		for _, secret := range []string{"private words", "very-secret-token", "operators-secret"} {
			if strings.Contains(told, secret) {
				t.Errorf("log or traces tell %q", secret)
			}
		}
	})
}

package wire

import (
	"context"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Traces follows messages from the front door to their statuses. The zero Traces follows nothing and costs nothing.
type Traces struct{ Tracer trace.Tracer }

// Span is one step of a trace; the zero Span is none.
type Span struct {
	span trace.Span
	ctx  context.Context
}

// Start begins a span under a W3C traceparent; "" begins a trace of its own.
func (t Traces) Start(parent, name string, words ...string) Span {
	if t.Tracer == nil {
		return Span{}
	}
	ctx := context.Background()
	if parent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": parent})
	}
	ctx, span := t.Tracer.Start(ctx, name, trace.WithAttributes(attributes(words)...))
	return Span{span, ctx}
}

// attributes turns pairs of words into attributes. Message bodies and tokens are never among them.
func attributes(words []string) []attribute.KeyValue {
	out := make([]attribute.KeyValue, 0, len(words)/2)
	for i := 0; i+1 < len(words); i += 2 {
		out = append(out, attribute.String(words[i], words[i+1]))
	}
	return out
}

// Parent is the span's traceparent, for what follows it; "" for none.
func (s Span) Parent() string {
	if s.span == nil {
		return ""
	}
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(s.ctx, c)
	return c["traceparent"]
}

// Set adds attributes, as pairs of words.
func (s Span) Set(words ...string) {
	if s.span != nil {
		s.span.SetAttributes(attributes(words)...)
	}
}

// End ends the span; a failure says what went wrong.
func (s Span) End(failure string) {
	if s.span == nil {
		return
	}
	if failure != "" {
		s.span.SetStatus(codes.Error, failure)
	}
	s.span.End(trace.WithTimestamp(time.Now()))
}

// Number is an attribute's value.
func Number(n int) string { return strconv.Itoa(n) }

package scrape

import (
	"bytes"
	"errors"
	"fmt"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/aftershock-dev/aftershock/internal/jsonpath"
)

// MostBytes bounds a page.
const MostBytes = 8 << 20

// ErrTooLong is returned for a page beyond MostBytes.
var ErrTooLong = errors.New("the page is longer than 8 MiB")

// Page is what a page tells.
type Page struct {
	samples  model.Vector
	document any
}

// Read reads a page: JSON when it begins as JSON does, and else Prometheus's text format.
func Read(b []byte) (*Page, error) {
	if len(b) > MostBytes {
		return nil, ErrTooLong
	}
	if head := bytes.TrimSpace(b); len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		doc, err := jsonpath.Read(head)
		return &Page{document: doc}, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("not a page for Prometheus: %w", err)
	}
	all := make([]*dto.MetricFamily, 0, len(families))
	for _, f := range families {
		all = append(all, f)
	}
	samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, all...)
	if err != nil {
		return nil, fmt.Errorf("not a page for Prometheus: %w", err)
	}
	return &Page{samples: samples}, nil
}

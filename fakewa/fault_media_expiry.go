package fakewa

import (
	"errors"
	"time"
)

// mediaExpiryFault shortens the lives of media, of those already uploaded too.
type mediaExpiryFault struct {
	Scope       `yaml:",inline"`
	UploadLife  time.Duration `yaml:"upload_life,omitempty"`
	InboundLife time.Duration `yaml:"inbound_life,omitempty"`
	URLLife     time.Duration `yaml:"url_life,omitempty"`
}

func (f *mediaExpiryFault) check() error {
	if f.UploadLife < 0 || f.InboundLife < 0 || f.URLLife < 0 {
		return errors.New("lives cannot be negative")
	}
	if f.UploadLife == 0 && f.InboundLife == 0 && f.URLLife == 0 {
		return errors.New("needs upload_life, inbound_life or url_life")
	}
	return nil
}

func (f *mediaExpiryFault) terms(h *hit) {
	h.shorten(&h.terms.uploadLife, f.UploadLife)
	h.shorten(&h.terms.inboundLife, f.InboundLife)
	h.shorten(&h.terms.urlLife, f.URLLife)
}

// felt reports whether the request is about media, whose life is shorter now.
func (f *mediaExpiryFault) felt(h *hit) bool {
	switch h.r.Endpoint {
	case Metadata, Download, Delete:
		return h.shortened
	}
	return h.shortened && h.d.Media
}

func (h *hit) shorten(d *time.Duration, to time.Duration) {
	if to > 0 && to < *d {
		*d, h.shortened = to, true
	}
}

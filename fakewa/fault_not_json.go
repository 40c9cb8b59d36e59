package fakewa

import (
	"errors"
	"fmt"
)

// notJSONFault answers a processed request with something else than JSON.
type notJSONFault struct {
	Scope  `yaml:",inline"`
	Status int    `yaml:"status,omitempty"` // HTTP status; 0 means the one decided
	Body   string `yaml:"body,omitempty"`   // empty means a page of HTML as a proxy sends it
}

func (f *notJSONFault) check() error {
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("status: %d is not between 200 and 599", f.Status)
	}
	if len(f.Body) > 1<<16 {
		return errors.New("body: more than 64 KiB")
	}
	or(&f.Body, "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n")
	return nil
}

func (f *notJSONFault) late(h *hit) bool {
	if h.d.Manner != Whole {
		return false
	}
	h.d.Manner, h.d.Body = Garbled, []byte(f.Body)
	h.d.garbledStatus = f.Status
	return true
}

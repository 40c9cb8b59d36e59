package fakewa

import (
	"errors"
	"fmt"
)

// errorFault refuses requests with a documented code, or accepts them and fails them later.
type errorFault struct {
	Scope   `yaml:",inline"`
	Code    *int   `yaml:"code"`              // 0 is a code of its own; one that is not documented needs status and message
	Status  int    `yaml:"status,omitempty"`  // HTTP status, instead of the documented one
	Subcode int    `yaml:"subcode,omitempty"` // error_subcode
	Message string `yaml:"message,omitempty"` // instead of (#code) title
	Details string `yaml:"details,omitempty"` // error_data.details
	As      string `yaml:"as,omitempty"`      // reply (default) | webhook
}

func (f *errorFault) check() error {
	if f.Code == nil {
		return errors.New("needs code, such as 131016")
	}
	if _, ok := documented(*f.Code); !ok && (f.Message == "" || f.Status == 0) {
		return fmt.Errorf("code: %d is not documented: say which status and message it has", *f.Code)
	}
	if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
		return fmt.Errorf("status: %d is not between 400 and 599", f.Status)
	}
	if f.As != "" && f.As != "reply" && f.As != "webhook" {
		return fmt.Errorf("as: %q is neither reply nor webhook", f.As)
	}
	if f.As == "webhook" && f.Where != "messages" {
		return fmt.Errorf("as: only sends fail by webhook")
	}
	return nil
}

func (f *errorFault) error() *apiError {
	e := fail(*f.Code, f.Details)
	or(&e.subcode, f.Subcode)
	if f.Status != 0 {
		e.status = f.Status
	}
	if f.Message != "" {
		e.message = f.Message
	}
	return e
}

func (f *errorFault) early(h *hit) bool {
	if f.As == "webhook" {
		return false
	}
	h.d.Err = f.error()
	return true
}

func (f *errorFault) late(h *hit) bool {
	if f.As != "webhook" || h.d.later == nil {
		return false
	}
	h.d.later.Fail, h.d.later.Links = f.error(), nil
	return true
}

package intake

import (
	"errors"
	"regexp"
)

// accessLine is a line of an access log in the common or the combined format:
//
//	203.0.113.7 - - [06/Jun/2025:13:33:00 -0400] "POST /v1/messages HTTP/1.1" 202 17
var accessLine = regexp.MustCompile(`^\S+ \S+ .*?\[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}|-) (\d+|-)`)

// accessReader reads access logs. They do not tell who a message went to: the scenario draws recipients.
type accessReader struct {
	o     Options
	clock clock
}

func (a *accessReader) read(line []byte) (row, error) {
	a.clock.zone = a.o.Zone
	m := accessLine.FindSubmatch(line)
	if m == nil {
		return row{}, errors.New("not a line of an access log")
	}
	at, err := a.clock.parse(string(m[1]))
	if err != nil {
		return row{}, err
	}
	if !a.o.Match.Match(m[2]) {
		return row{}, errOther
	}
	return row{at: at}, nil
}

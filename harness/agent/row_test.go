package agent

import (
	"reflect"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/harness"
)

func TestRowsReadBack(t *testing.T) {
	rows := []harness.Hit{
		{Number: 1, Taken: true, Tries: []harness.Try{{At: time.Millisecond, Done: 3 * time.Millisecond, Status: 202}}},
		{Number: 1 << 39, Tries: []harness.Try{
			{At: time.Hour, Done: time.Hour + 10*time.Second, Error: "timeout"},
			{At: time.Hour + 11*time.Second, Done: time.Hour + 11*time.Second + 1, Status: 503},
		}},
		{Number: 7},
	}
	var b []byte
	for _, r := range rows {
		b = appendRow(b, r)
	}
	for _, want := range rows {
		got, rest, err := readRow(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("read %+v, %v; want %+v", got, err, want)
		}
		b = rest
	}
	if len(b) != 0 {
		t.Errorf("%d bytes are left", len(b))
	}
}

func FuzzRow(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendRow(nil, harness.Hit{Number: 3, Tries: []harness.Try{{At: 5, Done: 9, Status: 200, Error: "reset"}}}))
	f.Add([]byte{1, 0xff, 0xff, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, _, err := readRow(data)
		if err != nil {
			return
		}
		again, rest, err := readRow(appendRow(nil, r))
		if err != nil || len(rest) != 0 || !reflect.DeepEqual(again, r) {
			t.Errorf("%+v reads back as %+v, %v", r, again, err)
		}
	})
}

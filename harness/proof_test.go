package harness

import (
	"testing"

	"github.com/aftershock-dev/aftershock/reports/record"
)

func TestProofs(t *testing.T) {
	var p proofs
	create := record.Attempt{Message: "m000001", Hop: "create", Number: 1, Draft: "m000001.1-1", Error: "timeout"}
	send := record.Attempt{Message: "m000001", Hop: "send", Number: 2, Draft: "m000001.1-2", Error: "timeout"}
	lost := record.Attempt{Message: "m000002", Hop: "create", Number: 1, Draft: "m000002.1-1", Error: "timeout"}
	for _, a := range []record.Attempt{create, send, lost} {
		if !p.hold(a) {
			t.Fatalf("%+v was not held", a)
		}
	}
	if p.hold(record.Attempt{Hop: "create", Draft: "m000003.1-1", Status: 201}) {
		t.Error("an attempt that succeeded needs no proof")
	}
	// The draft is sent, and refused: that it was sent at all proves that it had been created.
	if got := p.see(Entry{Callback: "m000001.1-1.1", Code: 131053}); len(got) != 1 || !got[0].Taken || got[0].Hop != "create" {
		t.Errorf("the first send proves %+v", got)
	}
	if got := p.see(Entry{Callback: "m000001.1-2.1", Accepted: true}); len(got) != 0 {
		t.Errorf("another attempt proves %+v", got)
	}
	if got := p.see(Entry{Callback: "m000001.1-2.2", Accepted: true}); len(got) != 1 || got[0].Hop != "send" {
		t.Errorf("the accepted send proves %+v", got)
	}
	if got := p.rest(); len(got) != 1 || got[0].Taken || got[0].Message != "m000002" {
		t.Errorf("left over: %+v", got)
	}
}

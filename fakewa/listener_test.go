package fakewa

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRefusedConnections: while the fault is in force nobody listens, kept connections are gone, a request that was on its
// way is answered, and when the time is over the same address answers again.
func TestRefusedConnections(t *testing.T) {
	s := start(t, Defaults(), Wiring{})
	if err := s.Set([]byte("latency: 100ms")); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := Serving(s)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(s.Listener(ln)) }()
	client := &http.Client{Transport: &http.Transport{}}
	send := func() error {
		r, err := http.NewRequest("POST", "http://"+ln.Addr().String()+"/v24.0/106540352242922/messages",
			strings.NewReader(`{"messaging_product":"whatsapp","to":"16505551234","text":{"body":"hello"}}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer t")
		resp, err := client.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	if err := send(); err != nil {
		t.Fatal(err)
	}
	under := make(chan error, 1)
	before := s.Summary().Attempts
	go func() { under <- send() }()
	for s.Summary().Attempts == before {
		time.Sleep(time.Millisecond)
	}
	if err := s.Apply("down", []byte("{kind: refuse-connections, for: 300ms}")); err != nil {
		t.Fatal(err)
	}
	if err := send(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("while it is in force: %v", err)
	}
	if err := <-under; err != nil {
		t.Errorf("what was on its way: %v", err)
	}
	if f := s.Summary().Faults["down"]; f.Struck == 0 {
		t.Errorf("the fault has struck %+v", f)
	}
	until := time.Now().Add(10 * time.Second)
	for send() != nil {
		if time.Now().After(until) {
			t.Fatal("the address does not answer again")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if err := s.Apply("later", []byte("{kind: refuse-connections}")); err != nil {
		t.Fatal(err)
	}
	if len(s.doors.list) != 0 {
		t.Error("a closed door is still followed")
	}
}

package fakewa_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/aftershock-dev/aftershock/fakewa"
)

// A fake in a Go test: your sender talks to srv.URL instead of https://graph.facebook.com.
func ExampleServer() {
	fake, err := fakewa.NewServer(fakewa.Config{}, fakewa.Wiring{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fake.Close()
	srv := httptest.NewServer(fake)
	defer srv.Close()

	// The answer is lost: the message is accepted, and the client sees a 500.
	if err := fake.Apply("lost", []byte("{kind: reply-lost, how: error, first: 1}")); err != nil {
		fmt.Println(err)
		return
	}
	send := func() {
		body := `{"messaging_product":"whatsapp","to":"16505551234","type":"text","text":{"body":"hello [ref:order-1]"}}`
		req, _ := http.NewRequest("POST", srv.URL+"/v24.0/106540352242922/messages", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer EAAtest")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer res.Body.Close()
		io.Copy(io.Discard, res.Body)
		fmt.Println("answered", res.StatusCode)
	}
	send()
	send() // what a sender does that retries 5xx

	sum := fake.Summary()
	fmt.Printf("%d message accepted %d times\n", sum.Messages, sum.Accepted)
	for _, e := range fake.After(0, 0) {
		fmt.Printf("%s: accepted %t, answered %d, copy %d %s\n", e.Message, e.Accepted, e.Answered, e.Copy, e.Fault)
	}
	// Output:
	// answered 500
	// answered 200
	// 1 message accepted 2 times
	// order-1: accepted true, answered 500, copy 1 lost
	// order-1: accepted true, answered 200, copy 2
}

// Statuses and webhooks need Run, which ends with its context.
func ExampleServer_Run() {
	told := make(chan string)
	sender := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"status":"delivered"`) {
			told <- "delivered"
		}
	}))
	defer sender.Close()
	fake, err := fakewa.NewServer(fakewa.Config{}, fakewa.Wiring{Webhook: sender.URL, AppSecret: "secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- fake.Run(ctx) }()

	req := httptest.NewRequest("POST", "/v24.0/106540352242922/messages", strings.NewReader(`{"messaging_product":"whatsapp","to":"16505551234","text":{"body":"hello"}}`))
	req.Header.Set("Authorization", "Bearer EAAtest")
	fake.ServeHTTP(httptest.NewRecorder(), req)
	fmt.Println(<-told)

	stop()
	fmt.Println(<-ended)
	// Output:
	// delivered
	// <nil>
}

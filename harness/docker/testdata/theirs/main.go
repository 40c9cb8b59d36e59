// Command theirs is somebody else's sender for the tests: it takes a message, sends it to the Cloud API in the
// background and, when told to, sends it again after an answer that came too late. It uses nothing of ours.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	timeout := flag.Duration("timeout", time.Second, "how long to wait for the Cloud API")
	again := flag.Bool("again", false, "send again when no answer came in time")
	flag.Parse()
	api, token := os.Getenv("CLOUD_API"), os.Getenv("TOKEN")
	if api == "" || token == "" {
		fmt.Println("CLOUD_API and TOKEN are missing")
		os.Exit(2)
	}
	client := &http.Client{Timeout: *timeout}
	send := func(to, text string) {
		body, _ := json.Marshal(map[string]any{"messaging_product": "whatsapp", "to": to, "type": "text", "text": map[string]string{"body": text}})
		for range 3 {
			req, _ := http.NewRequest(http.MethodPost, api+"/v24.0/106540352242922/messages", bytes.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(req)
			if err == nil {
				resp.Body.Close()
			}
			if err == nil || !*again {
				return
			}
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /hooks", func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("status", r.Header.Get("X-Hub-Signature-256") != "")
	})
	mux.HandleFunc("POST /send", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ To, Text string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("X-Api-Key") != os.Getenv("API_KEY") {
			http.Error(w, "who are you, and what do you want?", http.StatusForbidden)
			return
		}
		go send(in.To, in.Text)
		w.WriteHeader(http.StatusAccepted)
	})
	srv := &http.Server{Addr: ":9000", Handler: mux, ReadHeaderTimeout: time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { srv.Close() })
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Println(err)
		os.Exit(1)
	}
}

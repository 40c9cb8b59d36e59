// Command part is what the tests run in containers: it answers on an address, says who it is, asks others, and ends
// when it is told to.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Println("no address was given")
		os.Exit(7)
	}
	if b, err := os.ReadFile("/work/config.yaml"); err == nil {
		fmt.Printf("config: %s\n", b)
	}
	if err := os.WriteFile("/work/scratch", []byte("x"), 0o600); err != nil {
		fmt.Println(err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	client := &http.Client{Timeout: 2 * time.Second}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, _ *http.Request) {
		name, _ := os.Hostname()
		fmt.Fprintf(w, "%s %d", name, os.Getuid())
	})
	mux.HandleFunc("GET /ask", func(w http.ResponseWriter, r *http.Request) {
		resp, err := client.Get(r.FormValue("url"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		_, _ = io.Copy(w, resp.Body)
	})
	srv := &http.Server{Addr: os.Args[1], Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { <-stop; fmt.Println("stopping"); srv.Close() }()
	fmt.Println("serving", os.Args[1])
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Println(err)
		os.Exit(1)
	}
}

package part

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/aftershock-dev/aftershock/fakewa"
)

// runFake is the fake Cloud API.
func runFake(ctx context.Context, s Spec) error {
	cfg, err := fakewa.ParseConfig("whatsapp", []byte(s.Config))
	if err != nil {
		return err
	}
	fake, err := fakewa.NewServer(cfg, fakewa.Wiring{
		Webhook: s.Webhook, AppSecret: AppSecret, VerifyToken: VerifyToken, MediaHosts: s.MediaHosts, Seed: s.Seed, SpillDir: s.Dir,
	})
	if err != nil {
		return err
	}
	d, err := open(s, map[string]http.Handler{HTTP: ready(fake), Control: guarded(s.Key, fakeControl(fake))})
	if err != nil {
		return errors.Join(err, fake.Close())
	}
	work, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var runErr error
	running.Go(func() { runErr = fake.Run(work) })
	err = d.wait(ctx)
	err = errors.Join(err, d.close())
	stop()
	running.Wait()
	return errors.Join(err, runErr, fake.Close())
}

// maxSettings bounds what a control door reads.
const maxSettings = 1 << 20

// fakeControl is how the harness drives the fake.
func fakeControl(fake *fakewa.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, r *http.Request) {
		after, err1 := strconv.ParseInt(r.FormValue("after"), 10, 64)
		limit, err2 := strconv.Atoi(r.FormValue("limit"))
		if err := errors.Join(err1, err2); err != nil {
			answer(w, err)
			return
		}
		_ = gob.NewEncoder(w).Encode(fake.After(after, limit)) // a reader that has gone asks again
	})
	mux.HandleFunc("PUT /faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSettings))
		if err == nil {
			err = fake.Apply(r.PathValue("id"), body)
		}
		answer(w, err)
	})
	mux.HandleFunc("DELETE /faults/{id}", func(w http.ResponseWriter, r *http.Request) { answer(w, fake.Clear(r.PathValue("id"))) })
	mux.HandleFunc("PATCH /settings", patch(fake.Set))
	mux.HandleFunc("GET /settings", effective(fake.Effective))
	return mux
}

// patch is a door that changes settings.
func patch(set func(yaml []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSettings))
		if err == nil {
			err = set(body)
		}
		answer(w, err)
	}
}

// effective is a door that tells settings.
func effective(of func() map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(of()) }
}

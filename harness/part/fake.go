package part

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
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
	d, err := open(s, map[string]http.Handler{HTTP: ready(fake), Control: fakewa.Guard(s.Key, fake.Control())}, wrap{HTTP: fake.Listener})
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

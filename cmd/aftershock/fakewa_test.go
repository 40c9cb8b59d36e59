package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// startFakewa runs the command with these flags until the test ends and returns what it printed once it listened.
func startFakewa(t *testing.T, args ...string) string {
	t.Helper()
	cmd := newFakewaCommand()
	out, in := io.Pipe()
	cmd.SetArgs(append([]string{"--listen", "127.0.0.1:0"}, args...))
	cmd.SetOut(in)
	cmd.SetErr(io.Discard)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		in.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the fake ended badly: %v", err)
		}
	})
	var printed strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(printed.String(), "/ledger/summary\n") {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v after %s", err, printed.String())
		}
		printed.Write(buf[:n])
	}
	go io.Copy(io.Discard, out)
	return printed.String()
}

func printed(t *testing.T, banner, form string) string {
	t.Helper()
	m := regexp.MustCompile(form).FindStringSubmatch(banner)
	if m == nil {
		t.Fatalf("%s is not in:\n%s", form, banner)
	}
	return m[1]
}

func get(t *testing.T, client *http.Client, url, token string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// Beyond loopback the control doors open to a token only, even when none was asked for.
func TestFakewaControlNeedsATokenInPublic(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		token string // "" for none, * for one that was made up
	}{
		"loopback":                {[]string{"--control", "127.0.0.1:0"}, ""},
		"loopback, with a token":  {[]string{"--control", "127.0.0.1:0", "--control-token", "t0ken"}, "t0ken"},
		"everywhere":              {[]string{"--control", "0.0.0.0:0"}, "*"},
		"everywhere, any family":  {[]string{"--control", ":0"}, "*"},
		"everywhere with a token": {[]string{"--control", ":0", "--control-token", "t0ken"}, "t0ken"},
	} {
		t.Run(name, func(t *testing.T) {
			banner := startFakewa(t, c.args...)
			control := printed(t, banner, `control +(\S+)`)
			if c.token == "" {
				if status, body := get(t, http.DefaultClient, control+"/faults", ""); status != 200 || strings.Contains(banner, "token ") {
					t.Errorf("%d %s after:\n%s", status, body, banner)
				}
				return
			}
			token := printed(t, banner, `token +(\S+)`)
			if c.token != "*" && token != c.token || len(token) < 5 {
				t.Errorf("token %q", token)
			}
			for _, door := range []string{"/", "/faults", "/ledger", "/settings", "/metrics", "/nothing"} {
				for _, wrong := range []string{"", token + "x"} {
					if status, body := get(t, http.DefaultClient, control+door, wrong); status != 401 {
						t.Errorf("%s with token %q: %d %s", door, wrong, status, body)
					}
				}
			}
			if status, body := get(t, http.DefaultClient, control+"/faults", token); status != 200 {
				t.Errorf("with the token: %d %s", status, body)
			}
			if status, _ := get(t, http.DefaultClient, control+"/healthz", ""); status != 200 {
				t.Errorf("healthz: %d", status)
			}
		})
	}
}

// A made-up certificate is trusted by whoever reads the file that the banner names, and the file goes with the fake.
func TestFakewaTLS(t *testing.T) {
	var file string
	t.Run("serve", func(t *testing.T) {
		banner := startFakewa(t, "--tls", "--control", "127.0.0.1:0")
		file = printed(t, banner, `trust +(\S+)`)
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
		defer client.CloseIdleConnections()
		if status, body := get(t, client, printed(t, banner, `Graph API +(https://\S+)`)+"/v24.0/1?fields=verified_name", "EAAtest"); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	})
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("%s is left behind: %v", file, err)
	}
}

// What the command is told and gets wrong it says at once, without secrets.
func TestFakewaMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("latensy: 1s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"extra"}, 2, `takes no argument, got "extra"`},
		{[]string{"--listen", "nonsense"}, 1, "hint: choose another address with --listen"},
		{[]string{"--control", "127.0.0.1:99999"}, 1, "hint: choose another address with --control"},
		{[]string{"--set", "latency"}, 2, "write key=value"},
		{[]string{"--set", "latency=fast"}, 2, `--set latency: settings:1: latency: "fast" is not a duration`},
		{[]string{"--set", "tokens=[{token: EAAsecret,lief: 1h}]"}, 2, "did you mean life?"},
		{[]string{"--set", "tokens=[{token: EAAsecret},{token: EAAsecret}]"}, 2, "is given twice"},
		{[]string{"--fault", "x"}, 2, "write id={kind: …}"},
		{[]string{"--fault", "x={kind: reply-lots}"}, 2, "did you mean reply-lost?"},
		{[]string{"--webhook", "localhost:3000"}, 2, "is not a URL such as http://"},
		{[]string{"--media-host", "https://example.com/"}, 2, "is not the name of a host"},
		{[]string{"--verify"}, 2, "name it with --webhook"},
		{[]string{"--tls-cert", "x"}, 2, "belong together"},
		{[]string{"--tls-ca", "x"}, 2, "--tls"},
		{[]string{"--config", file}, 2, file + ":1: latensy: unknown key; did you mean latency?"},
		{[]string{"--spill", file + "/dir"}, 2, "directory for what does not fit in memory"},
	} {
		cmd := newFakewaCommand()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(append([]string{"--control", "127.0.0.1:0", "--listen", "127.0.0.1:0"}, c.args...))
		cmd.SetOut(io.Discard)
		err := cmd.ExecuteContext(t.Context())
		if err == nil || exitCode(err) != c.code || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: exit %d, %v; want exit %d and %q", c.args, exitCode(err), err, c.code, c.says)
		}
	}
}

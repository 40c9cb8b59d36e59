package scenarios_test

import (
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

// An address that cannot be meant is refused with what to write instead, before anything runs.
func TestCheckDoor(t *testing.T) {
	for text, want := range map[string]string{ // the hint's end; "" is right
		"http://127.0.0.1:9000/messages": "",
		"https://sender.example/v1?x=y":  "",
		"http://[::1]:9000":              "",
		"HTTP://localhost:9000":          "",
		"localhost:9000":                 "write http://localhost:9000",
		"localhost":                      "write http://localhost",
		"127.0.0.1:9000":                 "write http://127.0.0.1:9000",
		"127.0.0.1:9000/send":            "write http://127.0.0.1:9000/send",
		"graph.facebook.com":             "write http://graph.facebook.com",
		"//127.0.0.1:9000":               "write http://127.0.0.1:9000",
		"http:/localhost:9000":           "write http://localhost:9000",
		"http:localhost:9000/send":       "write http://localhost:9000/send",
		"ftp://localhost:9000":           "write http://localhost:9000",
		"htp://localhost:9000":           "write http://localhost:9000",
		"http://":                        "such as http://127.0.0.1:9000/messages",
		"http:///send":                   "such as http://127.0.0.1:9000/messages",
		"http://:9000":                   "such as http://127.0.0.1:9000/messages",
		"http://localhost:port":          "such as http://127.0.0.1:9000/messages",
		"http://localhost:90000":         "such as http://127.0.0.1:9000/messages",
		"http://local host:9000":         "such as http://127.0.0.1:9000/messages",
		"":                               "such as http://127.0.0.1:9000/messages",
	} {
		problem, hint := scenarios.CheckDoor(text)
		if (problem == "") != (want == "") || !strings.HasSuffix(hint, want) {
			t.Errorf("%q: %q, %q; want %q", text, problem, hint, want)
		}
	}
}

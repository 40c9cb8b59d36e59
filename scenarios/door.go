package scenarios

import (
	"net/url"
	"strconv"
	"strings"
)

// CheckDoor says what is wrong with the URL of a sender's front door, and what to write instead; an empty problem is none.
func CheckDoor(text string) (problem, hint string) {
	const example = "such as http://127.0.0.1:9000/messages"
	quoted := strconv.Quote(text)
	scheme, _, cut := strings.Cut(text, "://")
	if !cut { // localhost:9000, 127.0.0.1:9000/send, sender.local
		if u, err := url.Parse(MeantDoor(text)); err == nil && u.Hostname() != "" {
			return quoted + " does not begin with http:// or https://", "write " + MeantDoor(text)
		}
		return quoted + " is not a URL", example
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return quoted + " is not a URL: " + strings.TrimPrefix(err.Error(), "parse "+quoted+": "), example
	case u.Scheme != "http" && u.Scheme != "https":
		return quoted + ": a sender is reached by http:// or https://, not by " + scheme + "://", "write " + MeantDoor(text)
	case u.Hostname() == "":
		return quoted + " names no host", example
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return quoted + ": " + p + " is not a port", example
		}
	}
	return "", ""
}

// MeantDoor is the URL that a door without http:// or https:// is likely meant to be; any other comes back as it is.
func MeantDoor(text string) string {
	scheme, rest, cut := strings.Cut(text, "://")
	switch {
	case cut && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")):
		return text
	case !cut:
		rest = strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(text, "https:"), "http:"), "/")
	}
	return "http://" + rest
}

package fakewa

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// access knows tokens, numbers, accounts and templates.
type access struct {
	tokens    map[string]Token
	since     map[string]time.Time
	numbers   map[string]Number
	used      map[string]bool // ids used as a number, where none are configured
	templates map[string]Template
	overrides map[string]string // callback by number or account
	app       string            // the app's own callback
}

const defaultWABA = "102290129340398"

func newAccess(cfg Config, now time.Time) access {
	a := access{tokens: map[string]Token{}, since: map[string]time.Time{}, numbers: map[string]Number{}, used: map[string]bool{}, templates: map[string]Template{}, overrides: map[string]string{}}
	a.configure(cfg, now)
	return a
}

// configure takes up a changed configuration; a token that stays keeps its age, one that comes back is new.
func (a *access) configure(cfg Config, now time.Time) {
	clear(a.tokens)
	maps.DeleteFunc(a.since, func(token string, _ time.Time) bool {
		return !slices.ContainsFunc(cfg.Tokens, func(t Token) bool { return t.Token == token })
	})
	for _, t := range cfg.Tokens {
		a.tokens[t.Token] = t
		if _, ok := a.since[t.Token]; !ok {
			a.since[t.Token] = now
		}
	}
	clear(a.numbers)
	for _, n := range cfg.Numbers {
		or(&n.Display, "15550783881")
		or(&n.Name, "aftershock")
		or(&n.WABA, defaultWABA)
		or(&n.Level, "STANDARD")
		a.numbers[n.ID] = n
	}
	clear(a.templates)
	for _, t := range cfg.Templates {
		or(&t.Language, "en_US")
		or(&t.Category, "UTILITY")
		or(&t.Status, "APPROVED")
		a.templates[t.Name+"\x00"+t.Language] = t
	}
}

// number returns what is known of a number; every id is one where none are configured.
func (a *access) number(id string) (Number, bool) {
	n, ok := a.numbers[id]
	if !ok && len(a.numbers) == 0 {
		return Number{ID: id, Display: "15550783881", Name: "aftershock", WABA: defaultWABA, Level: "STANDARD"}, true
	}
	return n, ok
}

// check answers a request whose token or object is wrong.
func (a *access) check(now time.Time, r *Request, cfg *Config) *apiError {
	if err := a.token(now, r, cfg); err != nil {
		return err
	}
	switch r.Endpoint {
	case Messages, Upload, NumberSet, History:
		n, ok := a.number(r.Node)
		if !ok || r.Node == n.WABA || r.Node == defaultWABA {
			return unknownObject(strings.ToLower(r.Method), r.Node)
		}
		if len(a.numbers) == 0 && !a.used[r.Node] && len(a.used) < 1<<16 {
			a.used[r.Node] = true
		}
		if t, listed := a.tokens[r.Token]; listed && len(t.Numbers) > 0 && !slices.Contains(t.Numbers, r.Node) {
			return fail(cfg.Answers.ForeignNumber, "")
		}
	}
	return nil
}

// token answers a request whose token is missing, garbage, expired, revoked or unknown.
func (a *access) token(now time.Time, r *Request, cfg *Config) *apiError {
	switch {
	case r.TokenBad == "missing":
		switch cfg.Answers.MissingToken {
		case 200:
			return &apiError{status: 403, code: 200, kind: oauth, message: "Provide valid app ID"}
		case 190:
			return &apiError{status: 401, code: 190, kind: oauth, message: "Invalid OAuth access token - Cannot parse access token"}
		}
		return fail(104, "")
	case r.TokenBad != "":
		return garbage()
	}
	if len(a.tokens) == 0 {
		return nil
	}
	t, ok := a.tokens[r.Token]
	switch {
	case !ok:
		return garbage()
	case t.Revoked:
		return &apiError{status: 401, code: 190, subcode: 467, kind: oauth, message: "Error validating access token: The access token is invalid since the session has been invalidated."}
	case t.Life > 0 && now.Sub(a.since[r.Token]) >= t.Life:
		const form = "Monday, 02-Jan-06 15:04:05 MST"
		return &apiError{status: 401, code: 190, subcode: 463, kind: oauth, message: "Error validating access token: Session has expired on " +
			a.since[r.Token].Add(t.Life).UTC().Format(form) + ". The current time is " + now.UTC().Format(form) + "."}
	}
	return nil
}

func garbage() *apiError {
	return &apiError{status: 401, code: 190, kind: oauth, message: "Invalid OAuth access token - Cannot parse access token"}
}

// readToken takes the token out of an Authorization header or an access_token parameter.
func readToken(header, query string) (token, bad string) {
	token = query
	if header != "" {
		scheme, rest, ok := strings.Cut(header, " ")
		if !ok || !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "OAuth") {
			return "", "garbage"
		}
		token = strings.TrimSpace(rest)
	}
	if token == "" {
		return "", "missing"
	}
	if len(token) > 4096 {
		return "", "garbage"
	}
	for i := range len(token) {
		c := token[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '|' || c == '~' || c == '+' || c == '/' || c == '=') {
			return "", "garbage"
		}
	}
	return token, ""
}

// sends answers a send that the number may not make.
func (a *access) sends(r *Request) *apiError {
	if n, ok := a.number(r.Node); ok && r.Message.WAID == n.Display {
		return fail(131021, "")
	}
	return nil
}

// category returns a template's category as webhooks print it.
func (a *access) category(t *TemplateUse) string {
	if known, ok := a.templates[t.Name+"\x00"+t.Language]; ok {
		return strings.ToLower(known.Category)
	}
	return "utility"
}

// anyNumber returns the first known number.
func (a *access) anyNumber() string {
	best := ""
	for id := range a.numbers {
		if best == "" || id < best {
			best = id
		}
	}
	for id := range a.used {
		if best == "" || id < best {
			best = id
		}
	}
	or(&best, "106540352242922")
	return best
}

// callback returns the override for a number: its own, or its account's.
func (a *access) callback(number string) string {
	if len(a.overrides) == 0 {
		return ""
	}
	if url := a.overrides[number]; url != "" {
		return url
	}
	n, _ := a.number(number)
	return a.overrides[n.WABA]
}

// override sets or takes away the callback of a number or an account.
func (a *access) override(id, url string) {
	if url == "" {
		delete(a.overrides, id)
		return
	}
	if len(a.overrides) < 1<<16 {
		a.overrides[id] = url
	}
}

func (a *access) appendSubscription(id string) []byte {
	b := []byte(`{"data":[{"whatsapp_business_api_data":{"id":"670843887433847","link":"https://www.facebook.com/games/?app_id=67084","name":"aftershock"}`)
	if url := a.overrides[id]; url != "" {
		b = appendString(append(b, `,"override_callback_uri":`...), url, false)
	}
	return append(b, `}]}`...)
}

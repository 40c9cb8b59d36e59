package scenarios

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aftershock-dev/aftershock/internal/files"
	"github.com/aftershock-dev/aftershock/internal/strict"
)

// Target describes a sender that is not ours. URL, Headers and Body are Go templates over TargetFields.
type Target struct {
	Method      string            `yaml:"method,omitempty"` // default POST
	URL         string            `yaml:"url"`              // of its front door; a path alone with Image or run --target
	Headers     map[string]string `yaml:"headers,omitempty"`
	Body        string            `yaml:"body,omitempty"`  // {{.To}} {{.Text}} {{.MediaURL}} {{.Key}} {{.Secret.name}}
	Form        map[string]string `yaml:"form,omitempty"`  // fields of a form, in place of Body; templates
	Steps       []Request         `yaml:"steps,omitempty"` // requests before that one: log in, upload
	Secrets     map[string]Secret `yaml:"secrets,omitempty"`
	Success     []int             `yaml:"success,omitempty"`     // statuses that mean taken; default every 2xx
	Recognise   string            `yaml:"recognise,omitempty"`   // how copies of a message are told: callback | marker (default) | text
	Delivers    string            `yaml:"delivers,omitempty"`    // what of a copy has to be as it was offered: recipient+text (default where a template has {{.Text}}) | recipient | any
	Webhook     string            `yaml:"webhook,omitempty"`     // where statuses are posted: a path of the sender, or a URL; nowhere without it
	Image       string            `yaml:"image,omitempty"`       // run --env containers starts it
	Command     []string          `yaml:"command,omitempty"`     // with an image its arguments, in place of its own; without one a program that the run starts, and its arguments
	Folder      string            `yaml:"folder,omitempty"`      // that the command works in, relative to the scenario's file; default where that is
	Environment map[string]string `yaml:"environment,omitempty"` // of the image or command; values may use {{.FakeWA}}, {{.Port}}, {{.Secret.name}}, {{.AppSecret}} and {{.VerifyToken}}
	Port        int               `yaml:"port,omitempty"`        // that the image's or command's server listens on; a command without one is told a free one as {{.Port}} and PORT
	Ready       string            `yaml:"ready,omitempty"`       // path that answers 200 when it is ready; a connection is enough without it
	Within      time.Duration     `yaml:"within,omitempty"`      // in which it has to be ready; default 1m for an image or a command, 10s for one that should run already
	Metrics     *Metrics          `yaml:"metrics,omitempty"`     // the sender's own figures
	Replicas    int               `yaml:"replicas,omitempty"`    // of the image or command, behind a balancer; default 1
}

// PassesText reports whether the sender is given the text that was offered, so that what arrives can be compared with it.
func (t *Target) PassesText() bool {
	texts := []string{t.URL, t.Body}
	for _, v := range t.Form {
		texts = append(texts, v)
	}
	for _, s := range t.Steps {
		texts = append(texts, s.URL, s.Body)
		for _, v := range s.Form {
			texts = append(texts, v)
		}
	}
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, ".Text") })
}

// Secret says where a secret is read from when a run begins. It is never part of a scenario or of a record.
type Secret struct {
	Env  string `yaml:"env,omitempty"`
	File string `yaml:"file,omitempty"` // relative to the scenario's file
}

// TargetFields is what the templates of a target may use.
type TargetFields struct {
	To       string // recipient, digits
	Text     string // with the message's marker in it
	MediaURL string // "" for messages without media
	Key      string // the message's id, the same for every attempt: an idempotency key
	Type     string // text, image, …
	Class    string
	Tenant   string
	FakeWA   string // base URL of the fake Cloud API, as the target reaches it
	Port     string // that a copy of the target is to listen on; for its command and environment
	Secret   map[string]string
	Taken    map[string]string // by steps, from answers

	AppSecret   string // signs what is posted to Webhook
	VerifyToken string
}

// ReadSecrets reads the target's secrets from environment and files; relative files are looked for beside the
// scenario's file.
func (s *Scenario) ReadSecrets() (map[string]string, error) {
	out := map[string]string{}
	if s.Target == nil {
		return out, nil
	}
	var errs strict.Errors
	for _, name := range slices.Sorted(maps.Keys(s.Target.Secrets)) {
		from, key := s.Target.Secrets[name], "target.secrets."+name
		if from.Env != "" {
			v := os.Getenv(from.Env)
			if v == "" {
				errs = append(errs, &strict.Error{File: s.File, Key: key, Problem: "the environment has no " + from.Env, Hint: "export " + from.Env + "=…"})
			}
			out[name] = v
			continue
		}
		file := from.File
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(s.File), file)
		}
		v, err := readSecret(file)
		if err != nil {
			errs = append(errs, &strict.Error{File: s.File, Key: key, Problem: err.Error()})
		}
		out[name] = v
	}
	return out, errs.Err()
}

func readSecret(file string) (string, error) {
	f, err := files.Open(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	if v := strings.TrimSpace(string(b)); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("%s is empty", file)
}

var recognisers = []string{"callback", "marker", "text"}

func (in *inspector) target() {
	t := in.s.Target
	if t == nil {
		return
	}
	if t.URL == "" {
		in.bad("target", "has no url", "such as url: http://127.0.0.1:9000/messages")
	} else if !strings.Contains(t.URL, "{{") && !pathAlone(t.URL) {
		if problem, hint := CheckDoor(t.URL); problem != "" {
			in.bad("target.url", problem, hint+", or /messages with an image or a command")
		}
	}
	if t.Delivers != "" {
		in.oneOf("target.delivers", t.Delivers, []string{"recipient+text", "recipient", "any"})
	}
	if t.Recognise != "" {
		in.oneOf("target.recognise", t.Recognise, recognisers)
	}
	for i, code := range t.Success {
		if code < 100 || code > 599 {
			in.bad("target.success["+strconv.Itoa(i)+"]", fmt.Sprintf("%d is not an HTTP status", code), "such as [200, 202]")
		}
	}
	if t.Port < 0 || t.Port > 65535 {
		in.bad("target.port", fmt.Sprintf("%d is not a port", t.Port), "")
	}
	if t.Replicas < 0 {
		in.bad("target.replicas", "is negative", "")
	}
	in.command(t)
	in.metrics(t.Metrics)
	in.steps(t)
	if t.Within < 0 {
		in.bad("target.within", "is negative", "")
	}
	if t.Image != "" && t.Port == 0 {
		in.bad("target", "has an image, but no port", "add the port that its server listens on")
	}
	if t.Ready != "" && !strings.HasPrefix(t.Ready, "/") {
		in.bad("target.ready", strconv.Quote(t.Ready)+" is not a path", "such as /healthz")
	}
	if t.Webhook != "" && !pathAlone(t.Webhook) {
		if problem, hint := CheckDoor(t.Webhook); problem != "" {
			in.bad("target.webhook", problem, hint+", or a path of the sender such as /webhooks/whatsapp")
		}
	}
	in.templates(t)
}

// pathAlone tells a path from a URL.
func pathAlone(s string) bool {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return false
	}
	_, err := url.Parse(s)
	return err == nil
}

var unknownFunction = regexp.MustCompile(`function "(\w+)" not defined`)

var unknownField = regexp.MustCompile(`can't evaluate field (\w+)`)

// templates tries every template out, secrets included, so that a misspelt field is found now.
func (in *inspector) templates(t *Target) {
	secrets := map[string]string{}
	for name, from := range t.Secrets {
		secrets[name] = "x"
		if (from.Env == "") == (from.File == "") {
			in.bad("target.secrets."+name, "needs env or file", "such as {env: API_KEY}")
		}
	}
	texts := map[string]string{"url": t.URL, "body": t.Body, "method": t.Method}
	for k, v := range t.Headers {
		texts["headers."+k] = v
	}
	for k, v := range t.Environment {
		texts["environment."+k] = v
	}
	if t.Metrics != nil {
		for k, v := range t.Metrics.Headers {
			texts["metrics.headers."+k] = v
		}
	}
	for k, v := range t.Form {
		texts["form."+k] = v
	}
	taken := map[string]string{}
	for i, step := range t.Steps {
		in.fill(step.texts("steps["+strconv.Itoa(i)+"]."), TargetFields{Secret: secrets, Taken: maps.Clone(taken)})
		for name := range step.Take {
			taken[name] = "1"
		}
	}
	for i, v := range t.Command {
		texts["command["+strconv.Itoa(i)+"]"] = v
	}
	in.fill(texts, TargetFields{Secret: secrets, Taken: taken})
}

// fill tries templates out.
func (in *inspector) fill(texts map[string]string, fields TargetFields) {
	for key, text := range texts {
		tpl, err := Template("", text)
		if err == nil {
			err = tpl.Execute(io.Discard, fields)
		}
		if err == nil {
			continue
		}
		problem, hint := strings.TrimPrefix(err.Error(), "template: :"), ""
		if m := unknownField.FindStringSubmatch(problem); m != nil {
			fields := []string{"To", "Text", "MediaURL", "Key", "Type", "Class", "Tenant", "FakeWA", "Port", "Secret", "Taken", "AppSecret", "VerifyToken"}
			problem, hint = "{{."+m[1]+"}} is not known here", "there are "+join(fields)
			if s := strict.Suggest(m[1], fields); s != "" {
				hint = "did you mean {{." + s + "}}?"
			}
		} else if m := unknownFunction.FindStringSubmatch(problem); m != nil {
			names := slices.Sorted(maps.Keys(Functions))
			problem, hint = m[1]+" is not a function here", "there are "+join(names)+", and those of Go's templates"
			if s := strict.Suggest(m[1], names); s != "" {
				hint = "did you mean " + s + "?"
			}
		} else if i := strings.LastIndex(problem, "map has no entry for key "); i >= 0 {
			name := problem[i+len("map has no entry for key "):]
			problem, hint = name+" is not one of the secrets", "add it under target.secrets"
			if strings.Contains(text, ".Taken."+strings.Trim(name, `"`)) {
				problem, hint = name+" is taken by no step before", "add it under take of one of target.steps"
			}
		}
		in.bad("target."+key, problem, hint)
	}
}

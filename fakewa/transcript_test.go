package fakewa

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/aftershock-dev/aftershock/fakewa/internal/tree"
	"github.com/aftershock-dev/aftershock/internal/chance"
)

// transcript drives a core through a file of commands: no clock, no goroutine, no socket.
type transcript struct {
	core  *Core
	begin time.Time
	now   time.Time
	media map[string]string // name in the transcript → id
	urls  map[string]string // name → ticket
}

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/core/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, kind := range sortedKinds() {
		if !slices.ContainsFunc(files, func(f string) bool { return filepath.Base(f) == "fault-"+kind }) {
			t.Errorf("fault %s has no transcript testdata/core/fault-%s", kind, kind)
		}
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				t.Fatal(err)
			}
			tr := &transcript{}
			datadriven.RunTest(t, file, tr.run)
		})
	}
}

func (tr *transcript) run(t *testing.T, d *datadriven.TestData) string {
	if d.HasArg("at") {
		var at string
		d.ScanArgs(t, "at", &at)
		after, err := time.ParseDuration(at)
		if err != nil {
			t.Fatal(err)
		}
		tr.now = tr.begin.Add(after)
	}
	switch d.Cmd {
	case "core":
		return tr.start(d.Input)
	case "set":
		cfg, err := patch("set", tr.core.cfg, []byte(d.Input))
		if err != nil {
			return err.Error()
		}
		tr.core.configure(tr.now, cfg)
		return "ok"
	case "fault":
		a, err := parseFault("fault", []byte(d.Input))
		if err != nil {
			return err.Error()
		}
		tr.core.faults.apply(tr.now, d.CmdArgs[0].Key, a)
		return "ok"
	case "clear":
		return fmt.Sprintf("%t", tr.core.faults.clear(d.CmdArgs[0].Key))
	case "heard":
		tr.core.hear(tr.now, arg(t, d, "number", "106540352242922"), arg(t, d, "from", "16505551234"))
		return "ok"
	case "send":
		return tr.send(t, d)
	case "load":
		return tr.load(t, d)
	case "media":
		return tr.files(t, d)
	case "call":
		return tr.say(tr.core.Decide(tr.now, &Request{Endpoint: Endpoint(d.CmdArgs[0].Key), Method: "GET", Node: arg(t, d, "node", ""), Token: "EAAtest"}))
	case "post":
		return tr.post(t, d)
	}
	t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	return ""
}

func (tr *transcript) start(settings string) string {
	tr.begin = time.Date(2025, 6, 6, 13, 33, 0, 0, time.UTC)
	tr.now, tr.media, tr.urls = tr.begin, map[string]string{}, map[string]string{}
	cfg, err := patch("core", Config{}, []byte(settings))
	if err != nil {
		return err.Error()
	}
	if tr.core, err = NewCore(cfg, 1, tr.now); err != nil {
		return err.Error()
	}
	tr.core.faults.seed = chance.New(1)
	return "ok"
}

func arg(t *testing.T, d *datadriven.TestData, name, usual string) string {
	if d.HasArg(name) {
		d.ScanArgs(t, name, &usual)
	}
	return usual
}

// request makes a send; media= names what was uploaded in the transcript, also= another file of the same message.
func (tr *transcript) request(t *testing.T, d *datadriven.TestData, to, text string) *Request {
	kind := arg(t, d, "type", "text")
	content := fmt.Sprintf(`"text":{"body":%q}`, text)
	switch {
	case d.HasArg("media"):
		content = fmt.Sprintf(`%q:{"id":%q,"caption":%q}`, kind, tr.media[arg(t, d, "media", "")], text)
	case d.HasArg("link"):
		content = fmt.Sprintf(`%q:{"link":%q,"caption":%q}`, kind, arg(t, d, "link", ""), text)
	case kind == "template":
		content = `"template":{"name":"hello","language":{"code":"en_US"}}`
	case kind == "reaction":
		content = fmt.Sprintf(`"reaction":{"message_id":%q,"emoji":"x"}`, arg(t, d, "target", ""))
	}
	body := fmt.Sprintf(`{"messaging_product":"whatsapp","to":%q,"type":%q,%s,"biz_opaque_callback_data":%q}`, to, kind, content, arg(t, d, "callback", ""))
	r := &Request{Endpoint: Messages, Method: "POST", Node: arg(t, d, "number", "106540352242922"), Token: arg(t, d, "token", "EAAtest")}
	var tt tree.Tree
	root, err := tt.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	readMessage(&r.Message, root, tr.core.cfg.Answers.ListBody)
	if d.HasArg("also") {
		r.Message.Media = append(r.Message.Media, MediaUse{ID: tr.media[arg(t, d, "also", "")], Param: "header"})
	}
	return r
}

func (tr *transcript) send(t *testing.T, d *datadriven.TestData) string {
	r := tr.request(t, d, arg(t, d, "to", "16505551234"), arg(t, d, "text", "hello"))
	return tr.say(tr.core.Decide(tr.now, r))
}

// say tells a decision in a line.
func (tr *transcript) say(d Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", d.Status())
	if d.Err != nil {
		fmt.Fprintf(&b, " %s", d.Err.message)
		if d.Err.details != "" {
			fmt.Fprintf(&b, " (%s)", d.Err.details)
		}
	}
	if d.Manner != Whole {
		b.WriteString([...]string{"", ", withheld", ", aborted", ", cut", ", dripping", ", garbled"}[d.Manner])
	}
	if d.Over > 0 {
		fmt.Fprintf(&b, " over %v", d.Over.Round(time.Millisecond))
	}
	if d.Accepted {
		fmt.Fprintf(&b, ", accepted")
		if d.Copy > 1 {
			fmt.Fprintf(&b, " as copy %d", d.Copy)
		}
		if d.twin != nil {
			fmt.Fprintf(&b, " and again as copy %d", d.twin.Copy)
		}
	}
	if d.Delay > 0 {
		fmt.Fprintf(&b, ", after %v", d.Delay.Round(time.Millisecond))
	}
	if d.Wait > 0 {
		fmt.Fprintf(&b, ", again in %v", d.Wait.Round(time.Millisecond))
	}
	if d.Media {
		fmt.Fprintf(&b, ", media live %v", d.Slack)
	}
	if d.Expired {
		b.WriteString(", expired")
	}
	if d.Fault != "" {
		fmt.Fprintf(&b, " [%s]", d.Fault)
	}
	if l := d.later; l != nil {
		b.WriteString(tr.future(l))
	}
	return b.String()
}

// future tells what will become of a message, where that is not the usual.
func (tr *transcript) future(l *later) string {
	s := ""
	if l.Fail != nil {
		s += fmt.Sprintf("; will fail with %d", l.Fail.code)
	}
	if l.Sent+l.Delivery > 0 && l.Fail == nil {
		s += fmt.Sprintf("; sent after %v, delivered %v later", l.Sent.Round(time.Millisecond), l.Delivery.Round(time.Millisecond))
	}
	if l.Read >= 0 {
		s += fmt.Sprintf(", read %v later", l.Read.Round(time.Millisecond))
	}
	if l.OnlySent {
		s += "; only sent"
	}
	if l.Silent {
		s += "; without webhooks"
	}
	if len(l.Links) > 0 && l.Fail == nil {
		s += "; fetches " + strings.Join(l.Links, " ")
	}
	return s
}

// load sends n messages, one every so often, to users of their own or in turn to a few, and counts what became of
// them.
func (tr *transcript) load(t *testing.T, d *datadriven.TestData) string {
	var n, users int
	var every string
	d.ScanArgs(t, "n", &n)
	d.ScanArgs(t, "every", &every)
	gap, err := time.ParseDuration(every)
	if err != nil {
		t.Fatal(err)
	}
	users = n
	if d.HasArg("users") {
		d.ScanArgs(t, "users", &users)
	}
	counts := map[string]int{}
	var slowest, total time.Duration
	for i := range n {
		r := tr.request(t, d, fmt.Sprint(16500000000+i%users), fmt.Sprintf("%s %d", arg(t, d, "text", "load"), i))
		dec := tr.core.Decide(tr.now.Add(time.Duration(i)*gap), r)
		slowest, total = max(slowest, dec.Delay), total+dec.Delay
		dec.Delay, dec.Wait, dec.Over = 0, 0, 0
		if dec.later != nil {
			dec.later.Sent, dec.later.Delivery, dec.later.Read, dec.later.Links = 0, 0, -1, nil
		}
		counts[tr.say(dec)]++
	}
	tr.now = tr.now.Add(time.Duration(n) * gap)
	lines := make([]string, 0, len(counts))
	for line, n := range counts {
		lines = append(lines, fmt.Sprintf("%d × %s", n, line))
	}
	slices.Sort(lines)
	if slowest > 0 {
		lines = append(lines, fmt.Sprintf("mean %v, slowest %v", (total/time.Duration(n)).Round(time.Millisecond), slowest.Round(time.Millisecond)))
	}
	return strings.Join(lines, "\n")
}

// files does something with media: upload, metadata, download, delete, inbound.
func (tr *transcript) files(t *testing.T, d *datadriven.TestData) string {
	do, name := d.CmdArgs[0].Key, d.CmdArgs[1].Key
	r := &Request{Method: "GET", Node: tr.media[name], Token: "EAAtest", Number: arg(t, d, "phone", "")}
	switch do {
	case "upload":
		c := NewContent("image/jpeg", name, []byte(name))
		r.Endpoint, r.Node, r.Upload = Upload, arg(t, d, "number", "106540352242922"), &c
	case "inbound":
		tr.media[name] = tr.core.media.add(tr.now, "106540352242922", true, NewContent("image/jpeg", name, []byte(name)))
		return "ok"
	case "metadata":
		r.Endpoint, r.Base = Metadata, "https://graph.test"
	case "download":
		r.Endpoint, r.Ticket = Download, tr.urls[name]
	case "delete":
		r.Endpoint, r.Method = Delete, "DELETE"
	default:
		t.Fatalf("%s: media %s", d.Pos, do)
	}
	dec := tr.core.Decide(tr.now, r)
	body := string(dec.Body)
	switch {
	case do == "upload" && dec.Err == nil:
		tr.media[name] = strings.TrimSuffix(strings.TrimPrefix(body, `{"id":"`), `"}`)
	case do == "metadata" && dec.Err == nil:
		_, rest, _ := strings.Cut(body, "&hash=")
		tr.urls[name], _, _ = strings.Cut(rest, `"`)
	}
	out := tr.say(dec)
	if dec.Content != nil {
		out += fmt.Sprintf(", %s %q", dec.Content.MIME, dec.Content.Data)
	}
	return strings.ReplaceAll(out, "'"+tr.media[name]+"'", "'"+name+"'")
}

// post tells how an update would be posted.
func (tr *transcript) post(t *testing.T, d *datadriven.TestData) string {
	var out []string
	for i := range 4 {
		key := chance.Key(fmt.Sprint("message ", i))
		for _, s := range []stage{stageSent, stageDelivered} {
			l := &later{Number: "106540352242922", To: "16505551234", Type: "text", Key: key, Copy: 1}
			p := posting{now: tr.now, update: l.update(s, tr.now), batch: 1}
			tr.core.faults.post(&p)
			line := fmt.Sprintf("%d %s: after %v", i, stageStatus[s], p.delay.Round(time.Millisecond))
			if p.lost {
				line = fmt.Sprintf("%d %s: lost", i, stageStatus[s])
			}
			for _, c := range p.copies {
				line += fmt.Sprintf(", again after %v", c.Round(time.Millisecond))
			}
			if p.batch > 1 {
				line += fmt.Sprintf(", in batches of %d", p.batch)
			}
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

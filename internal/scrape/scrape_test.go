package scrape

import (
	"fmt"
	"strings"
	"testing"
)

const prometheus = `# HELP jobs Jobs by state.
# TYPE jobs gauge
jobs{queue="whatsapp",state="waiting"} 7
jobs{queue="whatsapp",state="active"} 3
jobs{queue="mail, \"and\" sms",state="waiting"} 100
age_seconds 1.5e1
nothing NaN
# TYPE send_seconds histogram
send_seconds_bucket{le="1"} 4
send_seconds_bucket{le="+Inf"} 6
send_seconds_sum 9.5
send_seconds_count 6
`

const document = `{"queue": {"waiting": 7, "active": "3"}, "workers": [{"busy": true, "age": 4}, {"busy": false, "age": 9}], "name": "x"}`

func TestNumbersOnAPage(t *testing.T) {
	pages := map[string]*Page{}
	for name, text := range map[string]string{"prometheus": prometheus, "json": document} {
		p, err := Read([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = p
	}
	for _, c := range []struct{ page, expression, want string }{
		{"prometheus", `age_seconds`, "15"},
		{"prometheus", `jobs`, "110"},
		{"prometheus", `jobs{queue="whatsapp"}`, "10"},
		{"prometheus", `max(jobs{queue="whatsapp"})`, "7"},
		{"prometheus", `avg( jobs{queue!="x"} )`, fmt.Sprint(110. / 3)},
		{"prometheus", `count(jobs{state=~"wait.*"})`, "2"},
		{"prometheus", `jobs{state=~"waiting|active", queue!~"mail.*"}`, "10"},
		{"prometheus", `jobs{state="waiting",queue="whatsapp"} + jobs{state='active'}`, "10"},
		{"prometheus", `jobs{state="lost"}`, "nothing"},
		{"prometheus", `jobs{state="waiting",queue="whatsapp"} + jobs{state="lost"}`, "7"},
		{"prometheus", `nothing`, "nothing"},
		{"prometheus", `send_seconds_count`, "6"},
		{"prometheus", `send_seconds_bucket{le="1"}`, "4"},
		{"prometheus", `$.queue.waiting`, "nothing"},
		{"json", `$.queue.waiting + $.queue.active`, "10"},
		{"json", `max($.workers[*].age)`, "9"},
		{"json", `$.workers[*].busy`, "1"},
		{"json", `$.name`, "nothing"},
		{"json", `jobs`, "nothing"},
	} {
		e, err := Parse(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		got := "nothing"
		if v, ok := e.Of(pages[c.page]); ok {
			got = fmt.Sprint(v)
		}
		if got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.expression, c.page, got, c.want)
		}
	}
	for _, text := range []string{"", "jobs{", "jobs{state}", `jobs{state="a" queue="b"}`, `jobs{state=~"("}`, "7", "$x", "jobs + $.a", "median(jobs)", "jobs +"} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q was taken for an expression", text)
		}
	}
	for text, want := range map[string]string{"<html>": "not a page for Prometheus", "{": "not JSON", strings.Repeat(" ", MostBytes+1): "longer than"} {
		if _, err := Read([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
}

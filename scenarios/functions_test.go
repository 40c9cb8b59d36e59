package scenarios_test

import (
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/scenarios"
)

func TestFunctions(t *testing.T) {
	fields := scenarios.TargetFields{To: "15550000001", Text: "Say \"hi\" <b> & ü\n", Key: "m000017"}
	uuid := "d2e7eff7-0000-8000-8000-000000000000"
	if tpl, err := scenarios.Template("", "{{uuid .Key}}"); err != nil {
		t.Fatal(err)
	} else {
		var b strings.Builder
		if err := tpl.Execute(&b, fields); err != nil || len(b.String()) != len(uuid) || b.String()[14] != '8' {
			t.Fatalf("uuid %q, %v", b.String(), err)
		}
		uuid = b.String()
	}
	for text, want := range map[string]string{
		"{{json .Text}}":                                     `"Say \"hi\" <b> & ü\n"`,
		"{{.Text | json}}":                                   `"Say \"hi\" <b> & ü\n"`,
		`{{digits "+1 (555) 000-0001"}}`:                     "15550000001",
		"{{pad 15 .To}}":                                     "000015550000001",
		"{{pad 3 .To}}":                                      "15550000001",
		"{{uuid}}":                                           uuid,
		"{{with .Text}}{{uuid}}{{end}}":                      uuid,
		"{{if uuid}}{{uuid | upper}}{{end}}":                 strings.ToUpper(uuid),
		"{{printf \"%s\" (uuid)}}":                           uuid,
		"{{sha256 .Key | printf \"%.8s\"}}":                  "175c5ea3",
		"{{base64 .Key}}":                                    "bTAwMDAxNw==",
		"{{lower \"ABC\"}}{{upper \"abc\"}}{{trim \" x \"}}": "abcABCx",
		`{{replace "1555" "+1555" .To}}`:                     "+15550000001",
		`{{default "text" .Type}}`:                           "text",
		"{{urlquery .Text}}":                                 "Say+%22hi%22+%3Cb%3E+%26+%C3%BC%0A",
	} {
		tpl, err := scenarios.Template("", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var b strings.Builder
		if err := tpl.Execute(&b, fields); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v; want %q", text, b.String(), err, want)
		}
	}
	for _, text := range []string{"{{jsn .To}}", "{{uuid .Nope}}", "{{pad .To 3}}", "{{pad 100000 .To}}"} {
		tpl, err := scenarios.Template("", text)
		if err == nil {
			err = tpl.Execute(&strings.Builder{}, fields)
		}
		if err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

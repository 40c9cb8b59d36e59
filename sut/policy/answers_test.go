package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aftershock-dev/aftershock/internal/golden"
)

// TestAnswersAreDocumented: docs/answers.md is the table that the sender decides by.
func TestAnswersAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# What the Cloud API's answers mean

The sender decides by this table (` + "`sut/policy/answers.go`" + `, from which ` + "`go test ./sut/policy -update`" + ` writes this page). A code counts whatever HTTP
status it comes with, as Meta advises. An answer without a code of the table means what its status says: 429 is throttled, another 4xx is
permanent, a 5xx, 408 or 425 is unknown, and so is an answer that cannot be read.

| class | what the sender does |
|---|---|
| throttled | waits, and slows down whom it concerns |
| retryable | was not taken: tries again, with backoff |
| unknown | may have been taken: waits for a status, then decides by class ([exactly-once.md](exactly-once.md)) |
| stopped | stops the number, and probes |
| media | resolves the media anew, once |
| window | sends the fallback template, if there is one |
| permanent | gives the message up |

| code | class | concerns | meaning | source |
|---|---|---|---|---|
`)
	concerns := map[Scope]string{
		ScopeMessage: "the message", ScopePair: "the pair of number and recipient", ScopeNumber: "the number", ScopeQuality: "the number's quality",
		ScopeApp: "the app", ScopeAccount: "the account", ScopeProvider: "the provider",
	}
	seen := map[int]bool{}
	for _, a := range Answers() {
		code, class := fmt.Sprint(a.Code), a.Class.String()
		if a.To > 0 {
			code += "–" + fmt.Sprint(a.To)
		}
		if a.Doubtful {
			class += "; with a 5xx unknown"
		}
		if seen[a.Code] || a.Says == "" || Sources()[a.Source] == "" || a.Class == Accepted || a.Class == Unknown {
			t.Errorf("row %+v", a)
		}
		seen[a.Code] = true
		fmt.Fprintf(&b, "| %s | %s | %s | %s | [%s](%s) |\n", code, class, concerns[a.Scope], a.Says, a.Source, Sources()[a.Source])
	}
	golden.Check(t, "../../docs/answers.md", []byte(b.String()))
}

// TestCodesCountWhateverTheirStatus: a documented code means the same with any status, but for those that say nothing.
func TestCodesCountWhateverTheirStatus(t *testing.T) {
	for _, a := range Answers() {
		for _, status := range []int{400, 401, 403, 429, 500, 503} {
			class, scope := Classify(status, a.Code, "", false)
			switch {
			case a.Code == 0 && status != 401 && status != 403:
				continue // no error object at all
			case a.Doubtful && status >= 500:
				if class != Unknown || scope != ScopeProvider {
					t.Errorf("%d with %d: %v", a.Code, status, class)
				}
			case class != a.Class || scope != a.Scope:
				t.Errorf("%d with %d: %v, %v", a.Code, status, class, scope)
			}
		}
	}
}

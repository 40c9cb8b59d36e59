package scrape

import "testing"

// FuzzPage: a sender's page is read or refused, and whatever it holds an expression comes to a number or to none.
func FuzzPage(f *testing.F) {
	f.Add("sum(queue_waiting{state=\"new\"}) - queue_done", "# TYPE queue_waiting gauge\nqueue_waiting{state=\"new\"} 3\nqueue_done 1\n")
	f.Add("$.queue.waiting", `{"queue": {"waiting": 7}}`)
	f.Add("max($.jobs[*].age)", `{"jobs": [{"age": 1}, {"age": "x"}, null]}`)
	f.Add("a", "a NaN\na +Inf\n")
	f.Add("a", "# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n")
	f.Fuzz(func(t *testing.T, expression, page string) {
		e, err := Parse(expression)
		if err != nil {
			return
		}
		p, err := Read([]byte(page))
		if err != nil {
			return
		}
		e.Of(p)
		if again, err := Parse(e.String()); err != nil || again.String() != e.String() {
			t.Fatalf("%q is not read again: %v", e.String(), err)
		}
	})
}

package scenarios_test

import (
	"fmt"
	"time"

	"github.com/aftershock-dev/aftershock/scenarios"
)

func ExampleOpen() {
	s, err := scenarios.Open("smoke", scenarios.Options{Set: map[string]string{"load.phases.steady.rate": "120/min"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	curve := s.Load.Curve()
	half, _ := curve.When(curve.Total() / 2)
	fmt.Println(s.Title, s.Duration(), curve.Total(), s.Load.RateAt(time.Minute), half)

	_, err = scenarios.Open("smoke", scenarios.Options{Set: map[string]string{"load.phases.stedy.rate": "120/min"}})
	fmt.Println(err)
	// Output:
	// Five quiet minutes 5m0s 600 2 2m30s
	// --set: load.phases.stedy.rate: load.phases has no entry "stedy"; did you mean steady?
}

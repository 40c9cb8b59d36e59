package fakewa

// Summary is the ledger in numbers. They are exact, whatever was moved to disk.
type Summary struct {
	Attempts   int64            `json:"attempts"`   // sends that arrived
	Accepted   int64            `json:"accepted"`   // sends that were accepted, copies included
	Refused    int64            `json:"refused"`    // sends that were not
	Messages   int64            `json:"messages"`   // different messages accepted
	Duplicated int64            `json:"duplicated"` // of those, accepted more than once
	Copies     int64            `json:"copies"`     // accepted beyond the first of each message
	Withheld   int64            `json:"withheld"`   // accepted, and the client was never told so: no answer, an error, half an answer, or something else than JSON
	Expired    int64            `json:"expired"`    // sends refused or failed because media had expired
	Code       map[int]int64    `json:"by_code"`    // attempts by Cloud API error code; 0 is success
	HTTP       map[int]int64    `json:"by_http"`    // attempts by HTTP status; 0 means no answer
	Type       map[string]int64 `json:"by_type"`
	Number     map[string]int64 `json:"by_number"`
	Fault      map[string]int64 `json:"by_fault"` // attempts touched, by fault
	Calls      map[string]int64 `json:"calls"`    // all requests, by endpoint

	Delivered int64         `json:"delivered"`
	Read      int64         `json:"read"`
	Failed    int64         `json:"failed"`
	FailCode  map[int]int64 `json:"failed_by_code"`

	Faults    map[string]Strikes `json:"faults"` // what each fault did, in force or over, by id
	Webhooks  Deliveries         `json:"webhooks"`
	Fetches   int64              `json:"link_fetches"`
	Forgotten int64              `json:"forgotten"` // entries whose detail was lost because the disk refused it
	Late      Lateness           `json:"late"`
}

// Deliveries counts webhooks.
type Deliveries struct {
	Posts    int64 `json:"posts"`
	OK       int64 `json:"ok"`       // answered with 200
	Failed   int64 `json:"failed"`   // answered otherwise, or not at all
	Updates  int64 `json:"updates"`  // statuses and messages in posts that were answered with 200
	Given    int64 `json:"given_up"` // updates no longer retried
	Dropped  int64 `json:"dropped"`  // updates beyond the queue's bound, or lost by a fault
	Waiting  int64 `json:"waiting"`  // updates to be posted or retried
	InFlight int64 `json:"in_flight"`
}

// Lateness is how much later than decided the fake's answers left: its own error as a measuring instrument.
type Lateness struct {
	Answers int64   `json:"answers"`
	MeanMs  float64 `json:"mean_ms"`
	MaxMs   float64 `json:"max_ms"`
	total   float64
}

func newSummary() Summary {
	return Summary{Code: map[int]int64{}, HTTP: map[int]int64{}, Type: map[string]int64{}, Number: map[string]int64{}, Fault: map[string]int64{},
		Calls: map[string]int64{}, FailCode: map[int]int64{}}
}

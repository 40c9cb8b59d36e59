package reports

import (
	"encoding/json"
	"math"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// SchemaSummary names the format of summary.json.
const SchemaSummary = "aftershock.summary/v1"

// Summary is summary.json: keys are never renamed.
type Summary struct {
	Schema     string             `json:"schema"`
	Verdict    Verdict            `json:"verdict"`
	ExitCode   int                `json:"exit_code"`
	Scenario   SummaryScenario    `json:"scenario"`
	Run        SummaryRun         `json:"run"`
	Messages   SummaryMessages    `json:"messages"`
	Duplicates SummaryDuplicates  `json:"duplicates"`
	Media      SummaryMedia       `json:"media"`
	Attempts   SummaryAttempts    `json:"attempts"`
	Delivery   SummaryTimes       `json:"delivery_time_ms"`
	Response   SummaryTimes       `json:"response_time_ms"`
	API        SummaryTimes       `json:"api_time_ms"`
	Resources  SummaryResources   `json:"resources"`
	Recovery   SummaryRecovery    `json:"recovery"`
	Phases     []SummaryPhase     `json:"phases"`
	Thresholds []SummaryThreshold `json:"thresholds"`
	Harness    SummaryHarness     `json:"harness"`
	Baseline   *SummaryBaseline   `json:"baseline,omitempty"` // only after a comparison
}

// SummaryBaseline is what the comparison with a baseline came to.
type SummaryBaseline struct {
	Runs     int      `json:"runs"`
	Compared int      `json:"metrics_compared"`
	Worse    []string `json:"worse"`
}

// SummaryScenario names what was run.
type SummaryScenario struct {
	Name      string            `json:"name"`
	Purpose   string            `json:"purpose"` // promise, replay or measure: what the thresholds are
	SHA256    string            `json:"sha256"`
	Seed      int64             `json:"seed"`
	Preset    string            `json:"preset"`
	Variants  []string          `json:"variants"`
	Overrides map[string]string `json:"overrides"`
}

// SummaryRun says where and how it ran.
type SummaryRun struct {
	ID          string  `json:"id"`
	Clock       string  `json:"clock"`
	Environment string  `json:"environment"`
	Queue       string  `json:"queue"`
	VirtualS    float64 `json:"virtual_s"`
	WallS       float64 `json:"wall_s"`
	Digest      string  `json:"digest"`
}

// SummaryMessages is how the messages ended: offered is the sum of the outcomes, residue what is missing from it.
type SummaryMessages struct {
	Offered      int `json:"offered"`
	Delivered    int `json:"delivered"`
	Expired      int `json:"expired"`
	Failed       int `json:"failed"`
	Shed         int `json:"shed"`
	Lost         int `json:"lost"`
	Pending      int `json:"pending"`
	Unsent       int `json:"unsent"`
	Misdelivered int `json:"misdelivered"`
	Residue      int `json:"residue"`
}

// SummaryDuplicates counts the copies beyond the first.
type SummaryDuplicates struct {
	Messages int           `json:"messages"`
	Copies   int           `json:"copies"`
	Rate     float64       `json:"rate"`
	ByCause  SummaryCauses `json:"by_cause"`
}

// SummaryCauses counts copies by why they were made.
type SummaryCauses struct {
	ClientRetry int `json:"client_retry"`
	CreateRetry int `json:"create_retry"`
	SendRetry   int `json:"send_retry"`
	Redelivery  int `json:"redelivery"`
	Provider    int `json:"provider"`
	Unknown     int `json:"unknown"`
}

// SummaryMedia is about messages that carry media.
type SummaryMedia struct {
	Messages int          `json:"messages"`
	Expired  int          `json:"expired"`
	Errors   int          `json:"errors"`
	SlackS   SummarySlack `json:"slack_s"`
}

// SummarySlack is the life left in media at the last attempt.
type SummarySlack struct {
	P1  float64 `json:"p1"`
	P50 float64 `json:"p50"`
}

// SummaryAttempts counts requests by hop.
type SummaryAttempts struct {
	FrontDoor         int     `json:"front_door"`
	Create            int     `json:"create"`
	Send              int     `json:"send"`
	API               int     `json:"api"`
	Amplification     float64 `json:"amplification"`
	PeakAmplification float64 `json:"peak_amplification"`
}

// SummaryTimes is one distribution of durations, in milliseconds. Those of delivery_time_ms are of all messages that were
// due, and null, never, where the message was not delivered; count says how many were.
type SummaryTimes struct {
	Count int    `json:"count"`
	P50   Millis `json:"p50"`
	P90   Millis `json:"p90"`
	P95   Millis `json:"p95"`
	P99   Millis `json:"p99"`
	P999  Millis `json:"p999"`
	Max   Millis `json:"max"`
}

// SummaryResources is the highest use of each service.
type SummaryResources struct {
	WhatsApp SummaryService `json:"whatsapp"`
	Drafts   SummaryService `json:"drafts"`
}

// SummaryService is the highest use of one service.
type SummaryService struct {
	CPUPeak      float64 `json:"cpu_peak"`
	MemoryPeak   int64   `json:"memory_peak_bytes"`
	ReplicasPeak int     `json:"replicas_peak"`
}

// SummaryRecovery is how the run came out of its trouble; null for what never came.
type SummaryRecovery struct {
	SurgeEndS      float64  `json:"surge_end_s"`
	RecoveredS     *float64 `json:"recovered_s"`
	TimeToRecoverS *float64 `json:"time_to_recover_s"`
	DrainedS       *float64 `json:"drained_s"`
	Metastable     bool     `json:"metastable"`
}

// SummaryPhase is the part of the summary that has a meaning within a phase.
type SummaryPhase struct {
	Name       string            `json:"name"`
	FromS      float64           `json:"from_s"`
	ToS        float64           `json:"to_s"`
	Messages   SummaryMessages   `json:"messages"`
	Duplicates SummaryDuplicates `json:"duplicates"`
	Delivery   SummaryTimes      `json:"delivery_time_ms"`
	Attempts   SummaryAttempts   `json:"attempts"`
}

// SummaryThreshold is one threshold and what was observed of it.
type SummaryThreshold struct {
	ID       string   `json:"id"`
	Says     string   `json:"says"`
	Metric   string   `json:"metric"`
	During   string   `json:"during"`
	Op       string   `json:"op"`
	Limit    string   `json:"limit"`
	Observed string   `json:"observed"`
	Verdict  Verdict  `json:"verdict"`
	FirstS   *float64 `json:"first_s"`
	Level    string   `json:"level,omitempty"` // only "warn"
}

// SummaryHarness is how well the harness itself did.
type SummaryHarness struct {
	LatenessMS SummaryLateness `json:"lateness_ms"`
	HitsUnsent int64           `json:"hits_unsent"`
	Warnings   []string        `json:"warnings"`
}

// SummaryLateness is how late hits left.
type SummaryLateness struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// JSON prints the summary as summary.json holds it.
func (s Summary) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

func (d *Measured) summary() Summary {
	info, w := d.run.Info, d.whole()
	s := Summary{
		Schema: SchemaSummary,
		Scenario: SummaryScenario{Name: info.Scenario.Name, Purpose: purpose(d.scenario), SHA256: info.Scenario.SHA256, Seed: info.Scenario.Seed, Preset: info.Scenario.Preset,
			Variants: append([]string{}, info.Scenario.Variants...), Overrides: map[string]string{}},
		Run: SummaryRun{ID: info.ID, Clock: info.Clock, Environment: info.Environment, Queue: info.Queue,
			VirtualS: rounded(info.Virtual.Seconds()), WallS: rounded(info.Wall.Seconds()), Digest: info.Digest},
		Messages: d.messageCounts(w), Duplicates: d.duplicateCounts(w), Media: d.mediaCounts(w), Attempts: d.attemptCounts(w),
		Delivery: d.deliverySummary(w), Response: summarise(d.sorted("response_time", ofMessages(responseTime), w)), API: summarise(d.sorted("api_time", ofAttempts("api"), w)),
		Resources: SummaryResources{
			WhatsApp: d.serviceUse(record.GWhatsAppCPU, record.GWhatsAppMem, record.GReplicasReady),
			Drafts:   d.serviceUse(record.GDraftsCPU, record.GDraftsMem, record.GDraftsReplicas),
		},
		Recovery: d.recoverySummary(),
		Harness: SummaryHarness{LatenessMS: SummaryLateness{millis(info.Harness.LatenessP50), millis(info.Harness.LatenessP99), millis(info.Harness.LatenessMax)},
			HitsUnsent: info.Harness.Unsent, Warnings: append([]string{}, info.Harness.Warnings...)},
		Phases: []SummaryPhase{}, Thresholds: []SummaryThreshold{},
	}
	for k, v := range info.Scenario.Overrides {
		s.Scenario.Overrides[k] = v
	}
	for _, p := range info.Phases {
		w := Window{p.From, p.To}
		s.Phases = append(s.Phases, SummaryPhase{Name: p.Name, FromS: rounded(p.From.Seconds()), ToS: rounded(p.To.Seconds()), Messages: d.messageCounts(w),
			Duplicates: d.duplicateCounts(w), Delivery: d.deliverySummary(w), Attempts: d.attemptCounts(w)})
	}
	return s
}

func (d *Measured) messageCounts(w Window) SummaryMessages {
	var c SummaryMessages
	due := d.due(w)
	at := map[record.Outcome]*int{record.Delivered: &c.Delivered, record.Expired: &c.Expired, record.Failed: &c.Failed,
		record.Shed: &c.Shed, record.Lost: &c.Lost, record.Pending: &c.Pending, record.Unsent: &c.Unsent, record.Misdelivered: &c.Misdelivered}
	for i := range due {
		if n, ok := at[due[i].Outcome]; ok {
			*n++
		} else {
			c.Residue++
		}
	}
	c.Offered = len(due)
	return c
}

// of returns the count of a cause.
func (c *SummaryCauses) of(name string) *int {
	return map[string]*int{record.ClientRetry: &c.ClientRetry, record.CreateRetry: &c.CreateRetry, record.SendRetry: &c.SendRetry,
		record.Redelivery: &c.Redelivery, record.Provider: &c.Provider, record.Unknown: &c.Unknown}[name]
}

func (d *Measured) duplicateCounts(w Window) SummaryDuplicates {
	var c SummaryDuplicates
	due := d.due(w)
	for i := range due {
		m := &due[i]
		if m.Copies < 2 {
			continue
		}
		c.Messages++
		c.Copies += copiesBeyond(m)
		for _, cause := range record.Causes {
			*c.ByCause.of(cause.Name) += causeCount(m, cause.Name)
		}
	}
	if len(due) > 0 {
		c.Rate = rounded6(float64(c.Messages) / float64(len(due)))
	}
	return c
}

func (d *Measured) mediaCounts(w Window) SummaryMedia {
	n := func(f measureFunc) float64 {
		v, _ := f(d, w)
		return v
	}
	return SummaryMedia{
		Messages: int(n(countMessages(isMedia))), Expired: int(n(countMessages(mediaExpired))),
		Errors: int(n(sumMessages(func(m *record.Message) int { return m.APIMedia }))),
		SlackS: SummarySlack{rounded(n(slack(0.01))), rounded(n(slack(0.50)))},
	}
}

func (d *Measured) attemptCounts(w Window) SummaryAttempts {
	n := func(hop, name string) int {
		if v, ok := d.increase(w, name); ok {
			return int(math.Round(v))
		}
		return len(d.made(hop, w))
	}
	c := SummaryAttempts{FrontDoor: n("front_door", record.GFrontDoor), Create: n("create", record.GCreate), Send: n("send", record.GSend), API: n("api", record.GAPI)}
	if v, ok := amplification(attemptCounters, firstCounters)(d, w); ok {
		c.Amplification = rounded6(v)
	}
	if v, ok := amplificationPeak(d, w); ok {
		c.PeakAmplification = rounded6(v)
	}
	return c
}

func (d *Measured) serviceUse(cpu, memory, replicas string) SummaryService {
	top := func(name string) float64 {
		v, _ := gaugeMax(name)(d, d.whole())
		return v
	}
	return SummaryService{CPUPeak: rounded6(top(cpu)), MemoryPeak: int64(top(memory)), ReplicasPeak: int(top(replicas))}
}

func (d *Measured) recoverySummary() SummaryRecovery {
	r := d.recovery
	if !r.known {
		return SummaryRecovery{}
	}
	s := SummaryRecovery{SurgeEndS: rounded(r.surgeEnd.Seconds()), Metastable: r.metastable}
	at := func(t time.Duration) *float64 {
		if t == record.Never {
			return nil
		}
		v := rounded(t.Seconds())
		return &v
	}
	s.RecoveredS, s.DrainedS = at(r.recovered), at(r.drained)
	if r.recovered != record.Never {
		s.TimeToRecoverS = at(r.recovered - r.surgeEnd)
	}
	return s
}

func summarise(v []time.Duration) SummaryTimes {
	at := func(q float64) Millis { return Millis(millis(Percentile(v, q))) }
	return SummaryTimes{Count: len(v), P50: at(0.50), P90: at(0.90), P95: at(0.95), P99: at(0.99), P999: at(0.999), Max: at(1)}
}

// waits are the delivery times of a window, those of messages that were never delivered included.
func (d *Measured) waits(w Window) []time.Duration {
	return d.sorted("delivery_time", ofMessages(deliveryWait), w)
}

// arrivals are the delivery times of the messages that were delivered.
func (d *Measured) arrivals(w Window) []time.Duration {
	return ascending(ofMessages(deliveryTime)(d, w))
}

func (d *Measured) deliverySummary(w Window) SummaryTimes {
	s := summarise(d.waits(w))
	s.Count = len(d.arrivals(w))
	return s
}

func millis(d time.Duration) float64 { return rounded(float64(d) / 1e6) }

func rounded(v float64) float64 { return math.Round(v*1e3) / 1e3 }

func rounded6(v float64) float64 { return math.Round(v*1e6) / 1e6 }

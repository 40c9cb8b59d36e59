package dash

import (
	"github.com/aftershock-dev/aftershock/reports/record"
)

// The panels, by the key that focuses them.
const (
	pRate = 1 + iota
	pBacklog
	pLatency
	pInFlight
	pAmplified
	pThresholds
	pErrors
	pReplicas
	pOldest
	panels = pOldest
)

// curve is one line of a chart.
type curve struct {
	series string
	name   string // in the title
	letter rune   // at the end of the line, so that lines differ without colour
	style  style
	stroke stroke
	wide   bool // drawn only where there is room for detail
}

// chart is what a chart panel draws.
type chart struct {
	panel  int
	title  string
	short  string // title where there is little room, whose values then carry their unit
	unit   string
	log    bool
	base   float64
	curves []curve
	show   func(float64) string // prints a value in the title; nil is number
	brief  func(float64) string // the same where there is little room
}

var (
	solid  = stroke{1, 1}
	dashed = stroke{5, 8}
	dotted = stroke{1, 3}
)

// charts is the table of charts. Panel 8 has several; outside of zoom it is a table.
func charts() []chart {
	return []chart{
		{panel: pRate, title: "Rate", unit: "msg/s", curves: []curve{
			{record.GRateLimit, "limit", 'l', limitC, dotted, true},
			{dOffered, "offered", 'o', offeredC, solid, false},
			{dGoodput, "accepted", 'a', acceptC, dashed, false},
			{dDelivered, "delivered", 'd', deliverC, solid, false},
		}},
		{panel: pBacklog, title: "Backlog", unit: "msgs", curves: []curve{
			{record.GReady, "ready", 'r', acceptC, dashed, true},
			{record.GRetrying, "waiting", 'w', warn, dotted, true},
			{record.GBacklog, "", 'b', offeredC, solid, false},
		}},
		{panel: pLatency, title: "Delivery", short: "Deliv.", unit: "s", log: true, base: 0.1, show: seconds, brief: rough, curves: []curve{
			{record.GResponseP99, "answer p99", 'a', acceptC, dotted, true},
			{record.GDeliveryP50, "p50", '5', deliverC, solid, false},
			{record.GDeliveryP99, "p99", '9', warn, dashed, false},
		}},
		{panel: pInFlight, title: "In flight", unit: "attempts", curves: []curve{
			{record.GUnknown, "unknown", 'u', warn, dotted, true},
			{record.GInFlight, "", 'f', offeredC, solid, false},
		}},
		{panel: pAmplified, title: "Amplification", unit: "attempts / first", base: 1, show: times, curves: []curve{
			{dAmpFront, "front", 'f', acceptC, dotted, true},
			{dAmpCreate, "create", 'c', deliverC, dotted, true},
			{dAmpSend, "send", 's', warn, dashed, true},
			{dAmplified, "all", 'a', offeredC, solid, false},
		}},
		{panel: pReplicas, title: "Replicas of the WhatsApp service", unit: "count", curves: []curve{
			{record.GReplicasMax, "ceiling", 'c', limitC, dotted, false},
			{record.GReplicasWant, "wanted", 'w', warn, dashed, false},
			{record.GReplicasReady, "ready", 'r', offeredC, solid, false},
		}},
		{panel: pReplicas, title: "CPU", unit: "cores busy", curves: []curve{
			{record.GWhatsAppCPU, "whatsapp", 'w', offeredC, solid, false},
			{record.GDraftsCPU, "drafts", 'd', acceptC, dashed, false},
		}},
		{panel: pReplicas, title: "Memory", unit: "bytes", show: bytesText, curves: []curve{
			{record.GWhatsAppMem, "whatsapp", 'w', offeredC, solid, false},
			{record.GDraftsMem, "drafts", 'd', acceptC, dashed, false},
		}},
		{panel: pErrors, title: "Trouble", unit: "per s", curves: []curve{
			{dCopies, "copies", 'd', acceptC, dotted, false},
			{dErrors, "API errors", 'e', warn, dashed, false},
			{dTimeouts, "timeouts", 't', bad, solid, false},
		}},
		{panel: pOldest, title: "Oldest message", unit: "s", log: true, base: 0.1, show: seconds, brief: rough, curves: []curve{
			{record.GOldest, "", 'o', offeredC, solid, false},
		}},
	}
}

// chartOf returns the first chart of a panel.
func chartOf(panel int) (chart, bool) {
	for _, c := range charts() {
		if c.panel == panel {
			return c, true
		}
	}
	return chart{}, false
}

// drawn is every series that some chart draws.
func drawn() map[string]bool {
	out := map[string]bool{}
	for _, c := range charts() {
		for _, k := range c.curves {
			out[k.series] = true
		}
	}
	return out
}

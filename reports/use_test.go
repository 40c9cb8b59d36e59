package reports

import (
	"strings"
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/reports/record"
)

// Parts that were processes are told of, in real time: cores on average times the real time between two readings.
func TestUse(t *testing.T) {
	var run record.Run
	run.Info.Compress = 60
	for i := range 4 {
		v := map[string]float64{"part_whatsapp_1_memory_bytes": float64(i) * (1 << 20), "part_drafts_memory_bytes": 1 << 20}
		if i > 0 {
			v["part_whatsapp_1_cpu_cores"], v["part_drafts_cpu_cores"] = 0.5, 0.1
		}
		run.Gauges = append(run.Gauges, record.Gauge{At: time.Duration(i) * time.Second, Values: v})
	}
	d, err := measure(&run, nil)
	if err != nil {
		t.Fatal(err)
	}
	list := d.uses()
	if len(list) != 2 || list[0].name != "whatsapp_1" || list[0].kind != "whatsapp" || list[0].cpu.Round(time.Millisecond) != 1500*time.Millisecond || list[0].memory != 3<<20 {
		t.Fatalf("%+v", list)
	}
	r := &Report{data: d, Info: run.Info}
	if words := r.useWords(); !strings.HasPrefix(words, "1.8s of CPU time in 2 parts, most of it in whatsapp_1 (1.5s)") {
		t.Error(words)
	}
	if _, ok := figureUse(r); !ok {
		t.Error("no picture of the parts")
	}
	if table := r.useTable(); len(table.Rows) != 3 || table.Rows[0][3] != "0.50" || table.Rows[2][1] != "1.8s" {
		t.Errorf("%v", table.Rows)
	}
}

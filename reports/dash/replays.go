package dash

import (
	"fmt"

	"github.com/aftershock-dev/aftershock/reports/record"
	"github.com/aftershock-dev/aftershock/scenarios"
)

// replays reports whether a run replays what happened: its statements are so or not so, which is neither good nor bad.
func replays(info record.Info) bool { return info.Scenario.Purpose == scenarios.Replay }

// mark is the word beside a threshold, and its style.
func (d *drawing) mark(state string) (string, style) {
	neutral := replays(d.s.Info)
	switch {
	case state == "met" && neutral:
		return "=", strong
	case state == "missed" && neutral:
		return "x", strong
	case state == "met":
		return "ok", good
	case state == "missed":
		return "x", bad
	case state == "invalid":
		return "!", bad
	}
	return "--", dim
}

// stateWord is a threshold's state, in capitals when it is worth a look.
func stateWord(state string, replay bool) string {
	words := map[string]string{"met": "met", "missed": "MISSED", "invalid": "INVALID"}
	if replay {
		words = map[string]string{"met": "so", "missed": "NOT SO", "invalid": "INVALID"}
	}
	if w, ok := words[state]; ok {
		return w
	}
	return "open"
}

// scorePiece counts the thresholds by state.
func (d *drawing) scorePiece() piece {
	s := score(d.s.Thresholds)
	text, broken, alarm, fine := fmt.Sprintf("SLO %d/%d met", s.met, s.all()), "MISSED", badge, good
	if replays(d.s.Info) {
		text, broken, alarm, fine = fmt.Sprintf("TOLD %d/%d so", s.met, s.all()), "NOT SO", strong, strong
	}
	switch {
	case s.all() == 0:
		return piece{"SLO --", dim, 70}
	case s.missed > 0:
		return piece{fmt.Sprintf("%s, %d %s", text, s.missed, broken), alarm, 85}
	case s.invalid > 0:
		return piece{fmt.Sprintf("%s, %d INVALID", text, s.invalid), badge, 85}
	case s.open > 0:
		return piece{fmt.Sprintf("%s, %d open", text, s.open), strong, 85}
	}
	return piece{text, fine, 85}
}

// ifStopped says what the run's verdict would be if it ended here.
func (d *drawing) ifStopped() (string, style) {
	met, missed, fine, alarm := "met", "missed", good, bad
	if replays(d.s.Info) {
		met, missed, fine, alarm = "reproduced", "not reproduced", strong, strong
	}
	switch s := score(d.s.Thresholds); {
	case s.missed > 0:
		return missed + " (exit 99)", alarm
	case s.invalid > 0:
		return "invalid (exit 3)", bad
	case s.open > 0:
		return "open", plain
	}
	return met + " (exit 0)", fine
}

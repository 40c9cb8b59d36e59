package remote

import (
	"testing"
	"time"

	"github.com/aftershock-dev/aftershock/sut"
)

func stats(creates int64) sut.Stats {
	var s sut.Stats
	s.Creates, s.WhatsApp.Used = creates, time.Duration(creates)*time.Second
	return s
}

func TestAnswersThatCrossAreCountedOnce(t *testing.T) {
	tally := newTally(nil)
	early := time.Now()
	tally.note("whatsapp/1", early, stats(10))
	tally.note("whatsapp/1", early, stats(9)) // asked before the other was answered
	if got := tally.whatsapp(nil); got.Creates != 10 || got.WhatsApp.Used != 10*time.Second {
		t.Errorf("after two answers that crossed: %d creates, %v used", got.Creates, got.WhatsApp.Used)
	}
	tally.note("whatsapp/1", time.Now(), stats(2)) // a copy that began anew
	if got := tally.whatsapp(nil); got.Creates != 12 {
		t.Errorf("after a restart: %d creates", got.Creates)
	}
}

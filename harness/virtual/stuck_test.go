package virtual

import "testing"

// A disk that is slow to take the record is no fault of the sender's.
func TestRecordIsNoHoldUp(t *testing.T) {
	const text = `goroutine 7 [syscall, synctest bubble 3]:
syscall.Syscall(0x4a, 0x9, 0x0, 0x0)
	/usr/local/go/src/syscall/syscall_linux.go:73 +0x25
os.(*File).Sync(0xc0)
	/usr/local/go/src/os/file_posix.go:169 +0x4a
github.com/aftershock-dev/aftershock/reports/record.(*Writer).Close(0xc1)
	/home/me/aftershock/reports/record/writer.go:90 +0x1b

goroutine 8 [sleep (durable), synctest bubble 3]:
time.Sleep(0x1)
	/usr/local/go/src/runtime/time.go:363 +0x165
`
	if waiting, moving := holdUp([]byte(text), "3"); !moving || len(waiting) > 0 {
		t.Errorf("%v waits, moving: %v", waiting, moving)
	}
}

package fakewa

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func numbered(i int) Entry {
	return Entry{Message: fmt.Sprint("m", i), Callback: strings.Repeat("c", i%200), WAMID: "wamid.x", At: time.Unix(int64(i), 5), Done: time.Unix(int64(i), 9), Accepted: i%3 == 0, Answered: 200, Copy: i % 2}
}

// Whatever part of the ledger is on disk, any stretch of it reads as it was written.
func TestLedgerSpills(t *testing.T) {
	dir := t.TempDir() + "/not/there/yet"
	l := newLedger(1<<20, dir)
	defer l.close()
	const n = 60_000
	for i := 1; i <= n; i++ {
		e := numbered(i)
		l.add(&e)
		if e.Seq != int64(i) {
			t.Fatalf("entry %d got number %d", i, e.Seq)
		}
	}
	if l.held > 1<<20 || l.spilt == 0 {
		t.Errorf("%d bytes in memory, %d blocks on disk", l.held, l.spilt)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("a file with a name is left behind: %v %v", left, err)
	}
	for _, from := range []int64{0, 1, 777, n / 2, n - 3} {
		for _, limit := range []int{1, 10, 5000} {
			got, err := l.after(from, limit)
			if err != nil {
				t.Fatal(err)
			}
			if want := min(int64(limit), n-from); int64(len(got)) != want {
				t.Fatalf("after %d, limit %d: %d entries", from, limit, len(got))
			}
			for k, e := range got {
				want := numbered(int(from) + k + 1)
				want.Seq = from + int64(k) + 1
				if e != want {
					t.Fatalf("got %+v, want %+v", e, want)
				}
			}
		}
	}
	for _, from := range []int64{n, n + 5, 1 << 60} {
		if got, err := l.after(from, 10); err != nil || len(got) != 0 {
			t.Errorf("after %d: %v %v", from, got, err)
		}
	}
	l.bound(4 << 20)
	l.reset()
	if got, _ := l.after(0, 10); len(got) != 0 || l.summary().Accepted != 0 {
		t.Error("a reset leaves entries")
	}
}

// A disk that refuses costs detail, never a count.
func TestLedgerWithoutADisk(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLedger(1, file)
	const n = 30_000
	for i := range n {
		e := numbered(i)
		l.add(&e)
	}
	sum := l.summary()
	if sum.Forgotten == 0 || sum.Code[0] == 0 || sum.Code[0] != n/3 {
		t.Errorf("forgotten %d, counted %d", sum.Forgotten, sum.Code[0])
	}
	got, err := l.after(0, n)
	if err != nil || int64(len(got)) != n-sum.Forgotten || got[0].Seq != sum.Forgotten+1 {
		t.Errorf("%d entries from %d, %v", len(got), got[0].Seq, err)
	}
}

// Readers and writers do not disturb one another.
func TestLedgerAtOnce(t *testing.T) {
	l := newLedger(1, t.TempDir())
	defer l.close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 5000 {
				e := numbered(i)
				l.add(&e)
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			var seq int64
			for seq < 20_000 {
				<-l.grows(seq)
				list, err := l.after(seq, 500)
				if err != nil {
					t.Error(err)
					return
				}
				for _, e := range list {
					if e.Seq != seq+1 {
						t.Errorf("entry %d after %d", e.Seq, seq)
						return
					}
					seq = e.Seq
				}
			}
		})
	}
	wg.Wait()
}

// Contents beyond the bound are on disk, each of them once, and read as they were.
func TestVault(t *testing.T) {
	v := vault{keep: 100, blobs: map[[32]byte]*blob{}, file: spill{dir: t.TempDir()}}
	defer v.file.close()
	var all []Content
	for i := range 50 {
		c := NewContent("image/png", "", []byte(strings.Repeat(fmt.Sprint(i%25), 10)))
		v.put(&c)
		all = append(all, c)
	}
	if len(v.blobs) != 25 || v.held > 100 {
		t.Errorf("%d contents, %d bytes in memory", len(v.blobs), v.held)
	}
	for i, c := range all {
		if got := v.get(&c); string(got) != strings.Repeat(fmt.Sprint(i%25), 10) {
			t.Errorf("content %d reads as %q", i, got)
		}
	}
	v.drop(&all[0])
	if v.get(&all[25]) == nil {
		t.Error("content that another id stands for is gone")
	}
	v.drop(&all[25])
	if v.get(&all[0]) != nil {
		t.Error("content that no id stands for is still there")
	}
}

package runner

import (
	"testing"
	"time"
)

func TestQuota(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	q := newQuota(3600_000, now)
	q.made(900_000) // all that may come at once
	if w := q.wait(now); w != 0 {
		t.Errorf("with nothing left it waits %v", w)
	}
	q.made(910_000)
	if w := q.wait(now); w != 10*time.Second {
		t.Errorf("for 10 000 bytes too many at 1 000 a second it waits %v", w)
	}
	now = now.Add(4 * time.Second)
	if w := q.wait(now); w != 6*time.Second {
		t.Errorf("4 s later it waits %v", w)
	}
	now = now.Add(-48 * time.Hour) // a clock that goes back takes nothing and gives nothing
	if w := q.wait(now); w != 6*time.Second {
		t.Errorf("after the clock went back it waits %v", w)
	}
	now = now.Add(10 * time.Hour)
	if q.wait(now); q.have != 900_000 {
		t.Errorf("after a long time there are %v", q.have)
	}
	none := newQuota(0, now)
	none.made(1 << 40)
	if w := none.wait(now); w != 0 {
		t.Errorf("without a bound it waits %v", w)
	}
}

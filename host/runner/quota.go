package runner

import "time"

// quota bounds the bytes that a plugin puts on stream derived over time, so that nobody's flood pushes out what others
// made. It is a bucket that fills evenly; a quarter of an hour's bytes may come at once. One that is empty makes the plugin
// wait: it falls behind, and reads on from the log.
type quota struct {
	hourly float64 // bytes; 0: no bound
	have   float64
	total  int64 // that were made
	at     time.Time
}

const quotaBurst = 4 // the bucket holds an hour's bytes divided by this

func newQuota(hourly int64, now time.Time) quota {
	return quota{hourly: float64(hourly), have: float64(hourly) / quotaBurst, at: now}
}

// made notes how many bytes the plugin has made in all, which may be more than there were left.
func (q *quota) made(total int64) {
	q.have -= float64(total - q.total)
	q.total = total
}

// wait is how long the plugin has to wait before it may be called again; 0 when it need not.
func (q *quota) wait(now time.Time) time.Duration {
	if q.hourly == 0 {
		return 0
	}
	if passed := now.Sub(q.at); passed > 0 {
		q.have = min(q.have+q.hourly*passed.Hours(), q.hourly/quotaBurst)
	}
	q.at = now
	if q.have >= 0 {
		return 0
	}
	return max(time.Duration(-q.have/q.hourly*float64(time.Hour)), time.Millisecond)
}

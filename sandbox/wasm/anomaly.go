package wasm

import (
	"encoding/binary"
	"math"

	"sandbar/sandbox/anomaly"
)

// fuelValue is what a value costs that a detector goes through: about a nanosecond.
const fuelValue = 4

// doubles copies numbers from the plugin's memory; they are paid for.
func (p *plugin) doubles(at, n uint64) []float64 {
	if uint32(n) > math.MaxUint32/8 {
		p.fail("a function of the host was given %d numbers", uint32(n))
	}
	raw := p.bytes(at, 8*uint64(uint32(n)))
	out := make([]float64, len(raw)/8)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return out
}

// giveDoubles puts numbers into the plugin's memory.
func (p *plugin) giveDoubles(at uint64, values ...float64) {
	to := p.bytes(at, 8*uint64(len(values)))
	for i, v := range values {
		binary.LittleEndian.PutUint64(to[8*i:], math.Float64bits(v))
	}
}

func (p *plugin) detector(at, n uint64) anomaly.Detector {
	d, err := anomaly.Parse(p.name(at, n))
	if err != nil {
		p.fail("anomaly: %w", err)
	}
	return d
}

// look gives what a detector says of a value: score, direction, what was expected, from where to where. It returns whether the value is unusual.
func (p *plugin) look(d anomaly.Detector, s *anomaly.Series, i int, to uint64) uint64 {
	p.Spend(fuelValue * d.Work(s.Step, i))
	v := d.Look(s, i)
	if math.IsNaN(v.Score) {
		v.Score = 0 // of numbers that are none
	}
	p.giveDoubles(to, v.Score, float64(v.Direction), v.Expected, v.Low, v.High)
	return flag(v.Unusual())
}

// anomalyLook looks at one of values a step of seconds apart.
func (p *plugin) anomalyLook(s []uint64) {
	d, values, at, step := p.detector(s[0], s[1]), p.doubles(s[2], s[3]), int(uint32(s[4])), int64(s[5])
	if at >= len(values) || step < 1 || step > 1<<40 {
		p.fail("anomaly_look: value %d of %d, %d s apart", at, len(values), step)
	}
	s[0] = p.look(d, &anomaly.Series{Step: step, Values: values}, at, s[6])
}

// anomalyBuffer looks at the row of a time, below 0 the newest that is complete. It returns -1 when the buffer does not have it.
func (p *plugin) anomalyBuffer(s []uint64) {
	d, b := p.detector(s[0], s[1]), p.buffer(s[2])
	col, ns := p.column(b, s[3]), int64(s[4])
	rows, _, sec := b.Configuration()
	if ns < 0 {
		ns = b.CurrentTime() - int64(sec)*1e9
	}
	p.Spend(fuelValue * int64(rows))
	var values []float64
	if ns >= 0 {
		values, _ = b.Range(col, -1, ns)
	}
	if len(values) == 0 {
		s[0] = missing
		return
	}
	s[0] = p.look(d, &anomaly.Series{Step: int64(sec), Values: values}, len(values)-1, s[5])
}

// anomalyCompare compares two samples or histograms and gives three numbers, NaN where there are fewer.
func (p *plugin) anomalyCompare(s []uint64) {
	what, a, b, x := p.name(s[0], s[1]), p.doubles(s[2], s[3]), p.doubles(s[4], s[5]), math.Float64frombits(s[6])
	p.Spend(fuelValue * 16 * int64(len(a)+len(b))) // to sort them
	out := [3]float64{math.NaN(), math.NaN(), math.NaN()}
	switch what {
	case "rank_sum":
		out[0], out[1] = anomaly.RankSum(a, b)
	case "pearson":
		out[0] = anomaly.Pearson(a, b)
	case "earth_mover":
		out[0] = anomaly.EarthMover(a, b)
	case "chi_square":
		degrees := 0
		out[0], degrees, out[2] = anomaly.ChiSquare(a, b)
		out[1] = float64(degrees)
	case "quantile_shift":
		out[0], out[1], out[2] = anomaly.QuantileShift(a, b, x)
	default:
		p.fail("anomaly_compare: there is no %q; there are rank_sum, pearson, earth_mover, chi_square, quantile_shift", what)
	}
	p.giveDoubles(s[7], out[:]...)
}

// anomalyCategories gives a byte for each category: 1 when it is new, -1 when it has vanished, 0.
func (p *plugin) anomalyCategories(s []uint64) {
	now, then, chance := p.doubles(s[0], s[2]), p.doubles(s[1], s[2]), math.Float64frombits(s[3])
	if !(chance > 0 && chance < 1) {
		p.fail("anomaly_categories: %v is no chance between 0 and 1", chance)
	}
	p.Spend(fuelValue * 16 * int64(len(now)))
	to := p.bytes(s[4], uint64(len(now)))
	for i, what := range anomaly.Categories(now, then, chance) {
		to[i] = byte(what)
	}
}

// anomalyDecompose gives trend, wave and rest, each as long as the values; periods are 32-bit counts of values.
func (p *plugin) anomalyDecompose(s []uint64) {
	values := p.doubles(s[0], s[1])
	if uint32(s[3]) > 8 {
		p.fail("anomaly_decompose: %d periods; 8 are allowed", uint32(s[3]))
	}
	raw := p.bytes(s[2], 4*uint64(uint32(s[3])))
	periods := make([]int, len(raw)/4)
	for i := range periods {
		periods[i] = int(int32(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	p.Spend(fuelValue * 32 * int64(len(values)) * int64(1+len(periods)))
	trend, wave, rest := anomaly.Decompose(values, periods)
	for k, part := range [][]float64{trend, wave, rest} {
		p.giveDoubles(uint64(uint32(s[4]))+uint64(8*k*len(values)), part...)
	}
}

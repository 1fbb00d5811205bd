package anomaly

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Setting is a number that a method can be told.
type Setting struct {
	Name               string
	Default, Low, High float64
	Whole              bool
	About              string // with its unit
}

// Method is a detector by its name, as plugins know it.
type Method struct {
	Name     string
	About    string
	Settings []Setting
	make     func(v []float64) Detector
}

func whole(name string, otherwise, low, high float64, about string) Setting {
	return Setting{name, otherwise, low, high, true, about}
}

func number(name string, otherwise, low, high float64, about string) Setting {
	return Setting{name, otherwise, low, high, false, about}
}

const most = 100_000 // values of any window

// Methods lists all of them by name.
func Methods() []Method {
	side := number("side", 0, -1, 1, "-1 for less only, 1 for more only, 0 for both")
	side.Whole = true
	return []Method{
		{"change_point", "another distribution than before (Bayesian)", []Setting{
			whole("window", 120, 8, maxChangeWindow, "values"), whole("recent", 6, 1, 64, "values in which the change is looked for"),
			number("hazard", 0.004, 1e-6, 0.5, "chance of a change at each value"), number("chance", 0.9, 0.01, 1, "of a recent change"),
		}, func(v []float64) Detector {
			return ChangePoint{Window: int(v[0]), Recent: int(v[1]), Hazard: v[2], Chance: v[3]}
		}},
		{"cusum", "small changes that stay", []Setting{
			whole("history", 144, 2, most, "values that say what is usual"), whole("window", 48, 1, most, "values that are added up"),
			number("slack", 0.5, 0.01, 10, "standard deviations"), number("far", 12, 0.1, 1e6, "sum, in standard deviations"),
		}, func(v []float64) Detector {
			return CUSUM{History: int(v[0]), Window: int(v[1]), Slack: v[2], Far: v[3]}
		}},
		{"deadman", "silence that is longer than any before", []Setting{
			whole("history", 1008, 1, most, "values"), number("factor", 2, 1, 1000, "of the longest silence before"), whole("least", 3, 1, most, "values"),
		}, func(v []float64) Detector { return Deadman{History: int(v[0]), Factor: v[1], Least: int(v[2])} }},
		{"decomposed", "far from trend and waves of day and week", []Setting{
			whole("weeks", 4, 1, mostWeeks, "that are decomposed"), number("far", 10, 0.1, 1e6, "standard deviations"),
		}, func(v []float64) Detector { return Decomposed{Weeks: int(v[0]), Far: v[1]} }},
		{"drift", "another level than some days ago, reached slowly", []Setting{
			whole("days", 3, 1, 365, "between both"), number("least", 1.35, 1.01, 1000, "larger level divided by the smaller"), whole("weeks", 4, 1, mostAround/3, "that are compared with"),
		}, func(v []float64) Detector { return Drift{Days: int(v[0]), Least: v[1], Weeks: int(v[2])} }},
		{"ewma", "a weighted mean outside of its band", []Setting{
			whole("history", 144, 2, most, "values that say what is usual"), whole("window", 24, 1, most, "values that are weighted"),
			number("weight", 0.3, 0.001, 1, "of the newest value"), number("far", 6, 0.1, 1e6, "standard deviations of the mean"),
		}, func(v []float64) Detector {
			return EWMA{History: int(v[0]), Window: int(v[1]), Weight: v[2], Far: v[3]}
		}},
		{"jump", "an estimated number that is another one", []Setting{
			whole("history", 24, 3, most, "values"), number("far", 6, 0.1, 1e6, "standard deviations"), number("error", 0.0081, 1e-9, 1, "relative standard error of a value"),
			whole("counts", 0, 0, 1, "1: values are counts, which scatter by their root at least"),
		}, func(v []float64) Detector {
			return Jump{History: int(v[0]), Far: v[1], Error: v[2], Counts: v[3] != 0}
		}},
		{"mww", "Heka's mww: ranks of a window and those before", []Setting{
			whole("window", 20, 2, most, "values"), whole("windows", 10, 2, most, "that are compared, with the newest"), number("p", 0.0001, 0, 1, "of a test"), side,
		}, func(v []float64) Detector {
			return MannWhitney{Window: int(v[0]), Windows: int(v[1]), P: v[2], Side: Side(v[3])}
		}},
		{"mww_nonparametric", "Heka's mww_nonparametric: the chance that values of a window are larger", []Setting{
			whole("window", 20, 2, most, "values"), whole("windows", 10, 2, most, "that are compared, with the newest"), number("stat", 0.99, 0.501, 1, "chance"),
		}, func(v []float64) Detector {
			return MannWhitneyNonparametric{Window: int(v[0]), Windows: int(v[1]), Stat: v[2]}
		}},
		{"roc", "Heka's roc: the mean of a window and of the one before", []Setting{
			whole("window", 6, 1, most, "values"), whole("history", 0, 0, most, "values before both; 0 for all"), number("deviations", 4, 0.01, 1e6, "standard deviations"),
			whole("loss", 0, 0, 1, "1 to tell of a window without values"), whole("start", 0, 0, 1, "1 to tell of the first with values"),
		}, func(v []float64) Detector {
			return RateOfChange{Window: int(v[0]), History: int(v[1]), Deviations: v[2], Loss: v[3] != 0, Start: v[4] != 0}
		}},
		{"seasonal", "far from the same hour of earlier weeks", []Setting{
			whole("weeks", 4, 1, mostAround/3, "that are compared with"), number("far", 8, 0.1, 1e6, "standard deviations of one value"),
			number("run", 4.5, 0.1, 1e6, "standard deviations of two of three"), number("floor", 0.04, 0.0001, 10, "share of what is expected that a standard deviation has at least"),
			whole("gaps", 0, 0, 1, "1: values that are not there are passed over; 0: they are 0"),
		}, func(v []float64) Detector {
			return Seasonal{Weeks: int(v[0]), Far: v[1], Run: v[2], Floor: v[3], Gaps: v[4] != 0}
		}},
		{"shape", "a day whose course is like none before (SAX)", []Setting{
			whole("periods", 7, 2, maxPeriods, "days before"), whole("letters", 24, 2, maxLetters, "of a day"), whole("sizes", 6, 2, 26, "different letters"),
			number("factor", 2, 0.1, 1000, "of the distances among the days before"), number("least", 1, 0.001, 1000, "distance, in standard deviations"),
		}, func(v []float64) Detector {
			return Shape{Periods: int(v[0]), Letters: int(v[1]), Sizes: int(v[2]), Factor: v[3], Least: v[4]}
		}},
	}
}

// New makes a detector of a method's name and settings; what is not told is as it is by default.
func New(method string, settings map[string]float64) (Detector, error) {
	all := Methods()
	i := slices.IndexFunc(all, func(m Method) bool { return m.Name == method })
	if i < 0 {
		names := make([]string, len(all))
		for k, m := range all {
			names[k] = m.Name
		}
		return nil, fmt.Errorf("there is no method %.40q; there are %s", method, strings.Join(names, ", "))
	}
	m := &all[i]
	values := make([]float64, len(m.Settings))
	known := make([]string, len(m.Settings))
	for k, s := range m.Settings {
		values[k], known[k] = s.Default, s.Name
		if v, ok := settings[s.Name]; ok {
			if !(v >= s.Low && v <= s.High) || s.Whole && v != math.Trunc(v) {
				kind := "a number"
				if s.Whole {
					kind = "a whole number"
				}
				return nil, fmt.Errorf("%s: %s = %v is not %s from %v to %v", method, s.Name, v, kind, s.Low, s.High)
			}
			values[k] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%s: there is no setting %.40q; there are %s", method, name, strings.Join(known, ", "))
		}
	}
	return m.make(values), nil
}

// maxSpec is the most bytes of a detector as text.
const maxSpec = 512

// Parse makes a detector of text: the name of a method, and settings as name=value, with blanks between them.
func Parse(text string) (Detector, error) {
	if len(text) > maxSpec {
		return nil, fmt.Errorf("a detector as text has at most %d bytes", maxSpec)
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return New("", nil)
	}
	settings := map[string]float64{}
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w, "=")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %.60q is not name=number", words[0], w)
		}
		settings[name] = v
	}
	return New(words[0], settings)
}

package config

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes; in the file "64MiB", "300 MB" or a bare number.
type Size int64

// Sizes.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

// Count is a number of things.
type Count int64

type unit struct {
	name string
	size Size
}

// units stand in the order in which they are tried: a longer name before one that it ends in, for String the
// larger first.
func units() []unit {
	return []unit{
		{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB},
		{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
	}
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	number, factor := text, Size(1)
	for _, u := range units() {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			number, factor = strings.TrimSpace(rest), u.size
			break
		}
	}
	if v, err := strconv.ParseUint(number, 10, 63); err == nil && Size(v) <= math.MaxInt64/factor {
		*s = Size(v) * factor
		return nil
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !decimal.MatchString(number) {
		return fmt.Errorf("%q is not a size like 64MiB, 1.5GB or 1048576", text)
	}
	if v *= float64(factor); v >= math.MaxInt64 {
		return fmt.Errorf("%q is more than 8 EiB", text)
	}
	*s = Size(v)
	return nil
}

// decimal leaves out what ParseFloat takes beside plain numbers: hexadecimal, exponents, infinity.
var decimal = regexp.MustCompile(`^\d+(\.\d+)?$`)

// MarshalText writes it as people would.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s Size) String() string {
	for _, u := range units() {
		if s >= u.size && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return "0"
}

// Duration is a time span; in the file "200ms", "60s", "1h30m" or "7d". (TOML sets a bare number
// directly, as nanoseconds; Validate finds those too short to be meant.)
type Duration time.Duration

// UnmarshalText reads a duration. Days are 24 hours.
func (d *Duration) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is not a number of days like 7d", text)
		}
		*d = Duration(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration like 200ms, 60s, 1h30m or 7d", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes it as people would.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if d >= day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Network is a block of addresses; in the file "10.0.0.0/8" or one address.
type Network struct{ netip.Prefix }

// UnmarshalText reads a network.
func (n *Network) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		n.Prefix = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return fmt.Errorf("%q is not an address or a network like 10.0.0.0/8", text)
	}
	n.Prefix = p.Masked()
	return nil
}

// Prefixes are the proxies as the edge wants them.
func (e Edge) Prefixes() []netip.Prefix {
	var all []netip.Prefix
	for _, n := range e.TrustedProxies {
		all = append(all, n.Prefix)
	}
	return all
}

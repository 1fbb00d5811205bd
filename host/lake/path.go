package lake

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"

	"sandbar/host/stream"
)

// Bounds of a path. With the object's name it makes a key that every bucket takes.
const (
	maxPath    = 512
	maxSegment = 180
	maxDepth   = 16
	maxName    = 180 // of an object, without the ending
)

var errNoPath = errors.New("lake path is empty; give one like \"telemetry/main\"")

// CleanPath makes a safe relative path of what a plugin chose. Paths are made of data that strangers sent,
// so an odd one is not an error: characters outside [A-Za-z0-9._=+-] become "_", so do leading dots and
// empty segments; a segment that looks like one of our objects gets a "_"; and what is too long or too
// deep ends in a hash of the whole.
func CleanPath(path string) (string, error) {
	if path == "" {
		return "", errNoPath
	}
	if isClean(path) {
		return path, nil
	}
	segs := strings.SplitN(path, "/", maxDepth+1)
	keep, size := 0, 0 // how many segments can stay before a hash
	fits := true
	for i, seg := range segs {
		segs[i] = cleanSegment(seg)
		size += len(segs[i]) + 1
		fits = fits && len(segs[i]) <= maxSegment && size <= maxPath+1
		if fits && size+hashLen <= maxPath {
			keep = i + 1
		}
	}
	if !fits || len(segs) > maxDepth {
		segs = append(segs[:min(keep, maxDepth-1)], hash(path))
	}
	return strings.Join(segs, "/"), nil
}

func cleanSegment(seg string) string {
	if seg == "" {
		return "_"
	}
	b := []byte(seg)
	for i, c := range b {
		if !pathByte(c) || c == '.' && (i == 0 || b[i-1] == '_' && strings.Trim(seg[:i], ".") == "") {
			b[i] = '_'
		}
	}
	if isObject(seg) {
		b = append(b, '_')
	}
	return string(b)
}

// isClean says that CleanPath would change nothing. It is the way of nearly every message.
func isClean(path string) bool {
	if len(path) > maxPath {
		return false
	}
	depth, start := 0, 0
	for i := 0; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			if i == start || i-start > maxSegment || isObject(path[start:i]) {
				return false
			}
			depth, start = depth+1, i+1
			continue
		}
		if c := path[i]; !pathByte(c) || c == '.' && i == start {
			return false
		}
	}
	return depth <= maxDepth
}

func pathByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '=' || c == '+' || c == '-'
}

// isObject says that a name ends like an object of the lake. A folder of such a name could take an
// object's place.
func isObject(seg string) bool {
	return strings.HasSuffix(seg, ".heka") || strings.HasSuffix(seg, ".heka.zst") || strings.HasSuffix(seg, ".parquet")
}

const hashLen = 16

func hash(s string) string { return fmt.Sprintf("%016x", xxhash.Sum64String(s)) }

// objectName names an object after the plugin, the stream positions that it covers, and the life and
// number of the flush. The life keeps names apart when streams were deleted and begin at 0 again, the
// number when a plugin writes without having read (in timer_event).
func objectName(logger string, covered []stream.Range, life string, flush int64) string {
	name := nameChars(logger)
	between := "-"
	for _, r := range covered {
		name += between + nameChars(r.Stream+"_"+strings.ReplaceAll(r.From.String()+"-"+r.To.String(), ":", "."))
		between = "_"
	}
	suffix := fmt.Sprintf("-%s.%d", life, flush)
	if len(name)+len(suffix) > maxName {
		h := hash(name)
		name = name[:maxName-len(suffix)-len(h)-1] + "~" + h
	}
	return name + suffix
}

func nameChars(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 127 || r == '=' || !pathByte(byte(r)) {
			return '_'
		}
		return r
	}, s)
}

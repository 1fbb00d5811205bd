package httpdoor

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// submission is what the URI of a request says. Segments are decoded.
type submission struct {
	namespace  string // set whenever there is one, also beside an error
	docType    string
	docVersion string // "" in the telemetry form, where the document says it
	docID      string
}

// What can be wrong with a URI. The texts go to the client.
var (
	errElsewhere = errors.New("submissions go to /submit/<namespace>/<docType>/<docVersion>/<docId>")
	errSegment   = errors.New("a part of the path is empty, '.', '..', not UTF-8, or holds a slash or control character")
	errGeneric   = errors.New("the path must be /submit/<namespace>/<docType>/<docVersion>/<docId>")
	errTelemetry = errors.New("the path must be /submit/telemetry/<docId>/<docType>/<appName>/<appVersion>/<appUpdateChannel>/<appBuildID>?v=4")
	errVersion   = errors.New("docVersion must be a number of at most nine digits")
	errID        = errors.New("docId must be a UUID like 0fdac909-d2ec-454c-b625-261a3e5d5c9b")
	errV4        = errors.New("this form of the URI needs the argument v=4")
)

const submitPrefix = "/submit/"

// telemetryParts is how many segments follow /submit/telemetry/ in the telemetry form.
const telemetryParts = 6

// parseURI reads the path and the arguments of a submission as they stood in the request line.
// It does not allocate unless a segment holds an escape.
func parseURI(path, args string) (submission, error) {
	rest, ok := strings.CutPrefix(path, submitPrefix)
	if !ok || rest == "" {
		return submission{}, errElsewhere
	}
	first, rest, _ := strings.Cut(rest, "/")
	namespace, ok := segment(first)
	if !ok {
		return submission{}, errSegment
	}
	s := submission{namespace: namespace}
	var parts [telemetryParts]string
	n, err := split(rest, &parts)
	switch {
	case err != nil:
		return s, err
	case namespace == "telemetry" && (n == telemetryParts || n > 0 && isUUID(parts[0])):
		s.docID, s.docType = parts[0], parts[1]
		return s, checkTelemetry(s, n, args)
	default:
		s.docType, s.docVersion, s.docID = parts[0], parts[1], parts[2]
		return s, checkGeneric(s, n)
	}
}

func checkTelemetry(s submission, n int, args string) error {
	switch {
	case n != telemetryParts:
		return errTelemetry
	case !isUUID(s.docID):
		return errID
	case !hasV4(args):
		return errV4
	}
	return nil
}

func checkGeneric(s submission, n int) error {
	switch {
	case n != 3:
		return errGeneric
	case !isNumber(s.docVersion):
		return errVersion
	case !isUUID(s.docID):
		return errID
	}
	return nil
}

// split decodes the segments of what follows the namespace. n is len(parts)+1 when there are too many.
func split(rest string, parts *[telemetryParts]string) (n int, err error) {
	for more := rest != ""; more; n++ {
		var raw string
		raw, rest, more = strings.Cut(rest, "/")
		if n == len(parts) {
			return n + 1, nil
		}
		var ok bool
		if parts[n], ok = segment(raw); !ok {
			return n, errSegment
		}
	}
	return n, nil
}

// segment decodes one segment and refuses what could mean something else to whoever uses it as a name.
func segment(raw string) (string, bool) {
	s := raw
	if strings.IndexByte(raw, '%') >= 0 {
		decoded, err := url.PathUnescape(raw)
		if err != nil {
			return "", false
		}
		s = decoded
	}
	if s == "" || s == "." || s == ".." || !utf8.ValidString(s) {
		return "", false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || c == '/' {
			return "", false
		}
	}
	return s, true
}

// trimSlash cuts the one slash that some clients put at the end, so that decoders see one spelling.
func trimSlash(path string) string {
	if len(path) > len(submitPrefix) {
		return strings.TrimSuffix(path, "/")
	}
	return path
}

// isUUID reports whether s is 8-4-4-4-12 hexadecimal digits.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
	}
	return true
}

func isNumber(s string) bool {
	if s == "" || len(s) > 9 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// hasV4 reports whether the first argument named v is 4.
func hasV4(args string) bool {
	for args != "" {
		var pair string
		pair, args, _ = strings.Cut(args, "&")
		if value, ok := strings.CutPrefix(pair, "v="); ok {
			return value == "4"
		}
	}
	return false
}

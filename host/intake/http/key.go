package httpdoor

import (
	"strings"

	heka "sandbar/sandbox/message"
)

// Key is the document id of a submission, as its path has it; nil when there is none. What comes twice has the same.
func Key(submission []byte) []byte {
	var v heka.View
	if v.Parse(submission) != nil {
		return nil
	}
	f, _ := v.Field("uri", 0)
	uri, _ := f.Bytes(0)
	parts := strings.Split(strings.TrimSuffix(string(uri), "/"), "/") // "", submit, NAMESPACE, ...
	switch {
	case len(parts) < 5 || parts[1] != "submit":
		return nil
	case parts[2] == "telemetry" && len(parts) > 6: // .../ID/DOCTYPE/APP/VERSION/CHANNEL/BUILD
		return []byte(parts[3])
	}
	return []byte(parts[len(parts)-1])
}

package message

import "strings"

// Types of messages that the host itself understands.
const (
	TypeAlert   = "alert"
	TypeOver    = "alert.over"     // what an alert was about is as usual again
	TypePayload = "inject_payload" // a payload of a plugin: a graph, a table, a text
	TypeError   = "error"          // a submission that could not be decoded, with its payload and the cause
	TypeForeign = "foreign"        // what somebody else has put on stream raw, and is no message
)

// Fields of those messages.
const (
	FieldPayloadType = "payload_type" // "cbuf", "cbufd", "txt", "json", ...
	FieldPayloadName = "payload_name"
	FieldAlertID     = "id"
	FieldThrottle    = "alert.throttle" // minutes in which no other alert of the id is wanted
	FieldSummary     = "summary"
	LabelPrefix      = "label."         // of the fields that routes choose and group alerts by: label.team
	FieldEvidence    = "alert.evidence" // STREAM/POSITION of messages that caused it
	FieldErrorType   = "DecodeErrorType"
	FieldError       = "DecodeError"
)

// IsFailure says whether a decoder's message of this Type tells of a submission that did not become a valid message; it
// belongs on stream errors.
func IsFailure(typ string) bool {
	return typ == TypeError || strings.HasSuffix(typ, ".error") || IsDuplicate(typ)
}

// IsDuplicate says whether a message of this Type tells that a submission came twice.
func IsDuplicate(typ string) bool {
	return typ == "duplicate" || strings.HasSuffix(typ, ".duplicate")
}

// IsPersonal says whether a field of a submission can identify the client. Such a field stays on stream raw.
func IsPersonal(field string) bool { return field == "remote_addr" || field == "X-Forwarded-For" }

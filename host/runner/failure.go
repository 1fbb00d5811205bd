package runner

import (
	"time"

	"github.com/google/uuid"

	"sandbar/sandbox"
	"sandbar/sandbox/message"
)

// undecoded is the message that stream errors gets for a submission that no decoder could take: the
// submission as it came, but for what could identify the client, and why.
func undecoded(v *message.View, errorType, text string) []byte {
	var b message.Builder
	b.SetUUID(v.UUID())
	b.SetTimestamp(v.Timestamp())
	b.SetHeader(message.Type, message.TypeError)
	if logger, ok := v.Header(message.Logger); ok {
		b.SetHeaderBytes(message.Logger, logger)
	}
	if host, ok := v.Header(message.Hostname); ok {
		b.SetHeaderBytes(message.Hostname, host)
	}
	if payload, ok := v.Header(message.Payload); ok {
		b.SetHeaderBytes(message.Payload, payload)
	}
	for f := range v.Fields() {
		if name := string(f.Name()); name != message.FieldError && !message.IsPersonal(name) {
			b.AddField(f)
		}
	}
	b.AddString(message.FieldErrorType, "", errorType)
	b.AddString(message.FieldError, "", text)
	return b.AppendTo(nil)
}

// maxForeign bounds what is kept of a record that is no message.
const maxForeign = 256 << 10

// foreign is a message about what somebody else has put on stream raw, which is none. No decoder should want its Type.
func foreign(record []byte, why error, now time.Time) []byte {
	var b message.Builder
	id := uuid.New()
	b.SetUUID(id[:])
	b.SetTimestamp(now.UnixNano())
	b.SetHeader(message.Type, message.TypeForeign)
	b.SetHeaderBytes(message.Payload, record[:min(len(record), maxForeign)])
	b.AddString(message.FieldError, "", why.Error())
	return b.AppendTo(nil)
}

// isFailure says whether a decoder's message belongs on stream errors.
func isFailure(msg []byte) bool {
	var v message.View
	if v.Parse(msg) != nil {
		return true
	}
	h, _ := v.Header(message.Type)
	return message.IsFailure(string(h))
}

// endAlert tells everybody that a plugin has ended by itself, as an alert of the host. recent is where the plugin was.
func endAlert(fault *sandbox.Error, recent []string, now time.Time) []byte {
	var b message.Builder
	id := uuid.New()
	b.SetUUID(id[:])
	b.SetTimestamp(now.UnixNano())
	b.SetHeader(message.Type, message.TypeAlert)
	b.SetHeader(message.Logger, "host.plugins")
	b.SetHeader(message.Payload, fault.Error())
	b.SetSeverity(1)
	b.AddString(message.FieldAlertID, "", fault.Plugin)
	b.AddDouble(message.FieldThrottle, "min", 0.1) // it ends in all partitions at once
	b.AddString(message.FieldSummary, "", "plugin "+fault.Plugin+" has ended: "+fault.Outcome.String())
	if len(recent) > 0 && fault.Message != nil {
		b.AddString(message.FieldEvidence, "", recent[len(recent)-1])
	}
	return b.AppendTo(nil)
}

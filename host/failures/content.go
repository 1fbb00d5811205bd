package failures

import (
	"errors"
	"fmt"

	"sandbar/host/view"
	"sandbar/sandbox/message"
)

// ErrNoSubmission says that an error does not hold what was submitted.
var ErrNoSubmission = errors.New("it does not hold what was submitted")

const contentField = "content" // of a submission; it is the last field that the edge writes

// message reads a message of stream errors.
func (w *View) message(position string, v *message.View) error {
	log, at, err := view.ParsePlace(len(w.logs), position)
	if err != nil {
		return err
	}
	msg, err := view.At(w.logs[log], at)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	if err := v.Parse(msg); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// Content is what was submitted, as it was received.
func (w *View) Content(position string) ([]byte, error) {
	var v message.View
	if err := w.message(position, &v); err != nil {
		return nil, err
	}
	f, ok := v.Field(contentField, 0)
	if !ok {
		return nil, ErrNoSubmission
	}
	b, _ := f.Bytes(0)
	return b, nil
}

// Submission is the message of stream raw that an error was made of, but for the address of the client, which is not kept: what a decoder added is left out.
func (w *View) Submission(position string) ([]byte, error) {
	var v message.View
	if err := w.message(position, &v); err != nil {
		return nil, err
	}
	var b message.Builder
	if id := v.UUID(); id != nil {
		b.SetUUID(id)
	}
	b.SetTimestamp(v.Timestamp())
	b.SetHeader(message.Type, "raw")
	b.SetHeader(message.Logger, "moz_ingest")
	if host, ok := v.Header(message.Hostname); ok {
		b.SetHeader(message.Hostname, string(host))
	}
	for f := range v.Fields() {
		value, _ := f.Bytes(0)
		if string(f.Name()) == contentField {
			b.AddBytes(contentField, "", value)
			return b.AppendTo(nil), nil
		}
		if f.Type() == message.String {
			b.AddString(string(f.Name()), "", string(value))
		}
	}
	return nil, ErrNoSubmission
}

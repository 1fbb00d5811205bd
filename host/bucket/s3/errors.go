package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// hasStatus says that the server answered with one of these statuses.
func hasStatus(err error, statuses ...int) bool {
	var response *smithyhttp.ResponseError
	return errors.As(err, &response) && slices.Contains(statuses, response.HTTPStatusCode())
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// isMissing says that there is no such object or upload. That there is no such bucket is another thing.
func isMissing(err error) bool {
	switch code(err) {
	case "NoSuchKey", "NoSuchUpload", "NotFound":
		return true
	case "NoSuchBucket":
		return false
	}
	return hasStatus(err, http.StatusNotFound)
}

// isBeyond says that a range lies behind the end of an object.
func isBeyond(err error) bool {
	return code(err) == "InvalidRange" || hasStatus(err, http.StatusRequestedRangeNotSatisfiable)
}

// permanent says that waiting will not help.
func permanent(err error) bool {
	return err != nil && hasStatus(err, http.StatusMovedPermanently, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound)
}

// explain says what to do about an error, where that is known.
func explain(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	hint := map[string]string{
		"NoSuchBucket":          "there is no such bucket; create it",
		"AccessDenied":          "the credentials may not do this; they need to read, list, write and delete, and to end uploads",
		"InvalidAccessKeyId":    "the server does not know the access key",
		"SignatureDoesNotMatch": "the secret is not that of the access key",
		"ExpiredToken":          "the credentials have expired; renew them",
		"RequestTimeTooSkewed":  "the clock of this machine is wrong",
		"PermanentRedirect":     "the bucket is in another region; set bucket.s3.region",
		"QuotaExceeded":         "the bucket is full",
		"XMinioStorageFull":     "the server's disk is full",
		"SlowDown":              "the server wants fewer requests",
	}[code(err)]
	text := plain(err)
	if hint != "" {
		text = hint + " (" + text + ")"
	}
	return &explained{text, err}
}

// explained is an error in fewer words than the SDK takes, for people.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// plain is what the server or the network has said.
func plain(err error) string {
	var api smithy.APIError
	var network *net.OpError
	var attempt errAttempt
	var response *smithyhttp.ResponseError
	switch {
	case errors.As(err, &attempt):
		return attempt.Error()
	case errors.As(err, &network):
		return "the server cannot be reached: " + network.Error()
	case errors.As(err, &api) && api.ErrorCode() != "":
		return fmt.Sprintf("the server says %s: %s", api.ErrorCode(), api.ErrorMessage())
	case errors.As(err, &response) && response.HTTPStatusCode() != 0:
		return fmt.Sprintf("the server answers with status %d", response.HTTPStatusCode())
	}
	return err.Error()
}

// errAttempt says that one attempt took too long.
type errAttempt struct{ limit time.Duration }

func (e errAttempt) Error() string        { return fmt.Sprintf("no answer within %v", e.limit) }
func (e errAttempt) Timeout() bool        { return true }
func (e errAttempt) RetryableError() bool { return true }

// lastError is the key of the context's *error of the newest attempt.
type lastError struct{}

// attemptTime bounds each attempt of a call, so that a connection that has gone silent does not take the time of all. The body
// of an object is read after its attempt and has a bound of its own. When the time of a call is over its error says why the
// newest attempt failed.
func attemptTime(limit time.Duration) func(*middleware.Stack) error {
	finalize := middleware.FinalizeMiddlewareFunc
	type (
		input  = middleware.FinalizeInput
		next   = middleware.FinalizeHandler
		output = middleware.FinalizeOutput
		meta   = middleware.Metadata
	)
	call := finalize("CallTime", func(ctx context.Context, in input, next next) (output, meta, error) {
		var last error
		out, m, err := next.HandleFinalize(context.WithValue(ctx, lastError{}, &last), in)
		if err != nil && last != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w (%w)", last, context.Cause(ctx))
		}
		return out, m, err
	})
	attempt := finalize("AttemptTime", func(ctx context.Context, in input, next next) (output, meta, error) {
		attempt, cancel := context.WithCancelCause(ctx)
		timer := time.AfterFunc(limit, func() { cancel(errAttempt{limit}) })
		out, m, err := next.HandleFinalize(attempt, in)
		if !timer.Stop() && ctx.Err() == nil {
			err = errAttempt{limit}
		}
		if err == nil {
			return out, m, nil // the body is read in this context, which ends with the call's
		}
		cancel(nil)
		if last, ok := ctx.Value(lastError{}).(*error); ok && ctx.Err() == nil {
			*last = err
		}
		return out, m, err
	})
	return func(stack *middleware.Stack) error {
		if err := stack.Finalize.Insert(call, "Retry", middleware.Before); err != nil {
			return err
		}
		return stack.Finalize.Insert(attempt, "Retry", middleware.After)
	}
}

package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/aws/smithy-go"
	"github.com/sony/gobreaker/v2"
)

// Classes of failures, as metrics and logs name them.
const (
	classRefused     = "refused"     // the model took no such table: the client's doing
	classCancelled   = "cancelled"   // the client went away
	classThrottled   = "throttled"   // too many calls, or the model is not ready
	classTimeout     = "timeout"     // no answer in time
	classUnreachable = "unreachable" // no connection, or it broke
	classDenied      = "denied"      // wrong keys or rights, no such endpoint
	classModel       = "model"       // the container failed
	classAnswer      = "answer"      // an answer that cannot be understood
	classOpen        = "open"        // not asked: the circuit breaker is open
	classService     = "service"     // anything else of the service
)

// Error is why there are no verdicts. Its text is for clients: it has no account, role or address in it; Unwrap has.
type Error struct {
	Class  string // refused, cancelled, throttled, timeout, unreachable, denied, model, answer, open or service
	status int
	text   string
	err    error
}

func (e *Error) Error() string { return e.text }
func (e *Error) Unwrap() error { return e.err }

// HTTPStatus is what a request that needed the verdicts should be answered with.
func (e *Error) HTTPStatus() int { return e.status }

// Refused reports whether the table, not the endpoint, is at fault, so that another try would end the same.
func (e *Error) Refused() bool { return e.Class == classRefused }

// explain makes an Error of what a call failed with.
func explain(endpoint string, err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	e := &Error{err: err}
	why := e.classify(err)
	e.text = fmt.Sprintf("SageMaker endpoint %s: %s", endpoint, why)
	return e
}

func (e *Error) classify(err error) (why string) {
	var timeout net.Error
	var api smithy.APIError
	var model *types.ModelError
	switch {
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		e.Class, e.status = classOpen, http.StatusServiceUnavailable
		return "not asked, for it failed several times in a row; try again later"
	case errors.Is(err, context.Canceled):
		e.Class, e.status = classCancelled, http.StatusServiceUnavailable
		return "the request was given up"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Class, e.status = classTimeout, http.StatusGatewayTimeout
		return "no answer in time"
	case errors.Is(err, errLarge):
		e.Class, e.status = classAnswer, http.StatusBadGateway
		return errLarge.Error()
	case errors.As(err, &model):
		return e.container(model)
	case errors.As(err, &api):
		return e.service(api, httpStatus(err))
	}
	e.Class, e.status = classUnreachable, http.StatusBadGateway
	return "not reached"
}

// container is a failure of the model's container, whose own status tells whose fault it was.
func (e *Error) container(err *types.ModelError) string {
	own := http.StatusInternalServerError
	if err.OriginalStatusCode != nil {
		own = int(*err.OriginalStatusCode)
	}
	switch {
	case busy(own):
		e.Class, e.status = classThrottled, http.StatusServiceUnavailable
		return "its container is busy; try again"
	case own >= 400 && own < 500:
		e.Class, e.status = classRefused, http.StatusBadRequest
		return fmt.Sprintf("its model refused the table (%d): %s", own, glimpse(deref(err.OriginalMessage)))
	}
	e.Class, e.status = classModel, http.StatusBadGateway
	return fmt.Sprintf("its container failed (%d)", own)
}

// service is a failure that the service itself reports. Its message may name accounts and roles, so only its code is told.
func (e *Error) service(err smithy.APIError, status int) string {
	code := err.ErrorCode()
	switch {
	case throttling(code) || busy(status):
		e.Class, e.status = classThrottled, http.StatusServiceUnavailable
		return fmt.Sprintf("it is busy or not ready (%s); try again", glimpse(code))
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		e.Class, e.status = classDenied, http.StatusBadGateway
		return fmt.Sprintf("it refused the server's credentials (%s)", glimpse(code))
	case status >= 400 && status < 500:
		e.Class, e.status = classDenied, http.StatusBadGateway
		return fmt.Sprintf("it does not exist in this region, or refused the call (%s)", glimpse(code))
	}
	e.Class, e.status = classService, http.StatusBadGateway
	return fmt.Sprintf("the service failed (%d %s)", status, glimpse(code))
}

func busy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// httpStatus finds the status of the answer that an error was made of; 0 for none.
func httpStatus(err error) int {
	var answered interface{ HTTPStatusCode() int }
	if errors.As(err, &answered) {
		return answered.HTTPStatusCode()
	}
	return 0
}

// glimpse is the beginning of a text from outside, safe in a log and in JSON.
func glimpse(text string) string {
	const most = 200
	return fmt.Sprintf("%.*q", most, text)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

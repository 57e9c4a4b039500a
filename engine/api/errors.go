package api

import (
	"context"
	"errors"
	"net/http"
)

// kinds gives every kind its exit code (DESIGN 8) and its HTTP status. The status is
// for people with curl; Client reads the kind.
func (k ErrorKind) codes() (exit, status int) {
	switch k {
	case KindUsage:
		return 64, http.StatusBadRequest
	case KindUnavailable:
		return 69, http.StatusServiceUnavailable
	case KindBusy:
		return 75, http.StatusConflict
	case KindDenied:
		return 77, http.StatusForbidden
	case KindConfig:
		return 78, http.StatusUnprocessableEntity
	case KindNoSuch:
		return 105, http.StatusNotFound
	case KindNoQuorum:
		return 106, http.StatusPreconditionFailed
	case KindUnsafe:
		return 107, http.StatusPreconditionRequired
	case KindTimeout:
		return 124, http.StatusGatewayTimeout
	case KindDegraded:
		return 190, http.StatusOK
	}
	return 1, http.StatusInternalServerError
}

// ExitCode is the exit code of a command that ended with err: 0 for none, the code
// of an Error's kind, 124 for a deadline that passed, and 1 for everything else.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	exit, _ := AsError(err).Kind.codes()
	return exit
}

// AsError gives any error a kind: an *Error inside it keeps its own, a deadline that
// passed is KindTimeout, everything else KindFailed. It is nil for nil.
func AsError(err error) *Error {
	var known *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: KindTimeout, Message: err.Error(), Hint: "it may still be done; `ferry operations` tells"}
	}
	return &Error{Kind: KindFailed, Message: err.Error()}
}

package ec2sim

import (
	"fmt"
	"net/http"
)

// apiError is an answer that refuses: the code and message EC2 uses, and the HTTP status it comes with.
type apiError struct {
	status        int
	code, message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// refuse is an EC2 client error: HTTP 400 unless the code has a status of its own.
func refuse(code, format string, args ...any) *apiError {
	return &apiError{status: statusOf(code), code: code, message: fmt.Sprintf(format, args...)}
}

// statusOf is the HTTP status that comes with an EC2 error code.
func statusOf(code string) int {
	switch code {
	case "AuthFailure":
		return http.StatusUnauthorized
	case "UnauthorizedOperation":
		return http.StatusForbidden
	case "DryRunOperation":
		return http.StatusPreconditionFailed
	case "InternalError", "InternalFailure":
		return http.StatusInternalServerError
	case "RequestLimitExceeded", "Unavailable", "ServiceUnavailable", "InsufficientInstanceCapacity":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

func missing(param string) *apiError {
	return refuse("MissingParameter", "The request must contain the parameter %s", param)
}

func invalidValue(param, value, why string) *apiError {
	return refuse("InvalidParameterValue", "Value (%s) for parameter %s is invalid. %s", value, param, why)
}

func errDryRun() *apiError {
	return refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
}

func errThrottled() *apiError { return refuse("RequestLimitExceeded", "Request limit exceeded.") }

func errAuth() *apiError {
	return refuse("AuthFailure", "AWS was not able to validate the provided access credentials")
}

func errNoTable(id string) *apiError {
	return refuse("InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist", id)
}

func errNoInterface(id string) *apiError {
	return refuse("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
}

func errNoInstance(id string) *apiError {
	return refuse("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", id)
}

func errManyInterfaces(id string) *apiError {
	return refuse("InvalidInstanceID",
		"There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead.", id)
}

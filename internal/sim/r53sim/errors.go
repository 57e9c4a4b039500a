package r53sim

import (
	"fmt"
	"net/http"
	"strings"
)

// apiError is an answer that refuses: the code and message Route 53 uses, and the HTTP status it comes with.
type apiError struct {
	status        int
	code, message string
	// list are the single messages of an InvalidChangeBatch.
	list []string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func refuse(code, format string, args ...any) *apiError {
	return &apiError{status: statusOf(code), code: code, message: fmt.Sprintf(format, args...)}
}

// statusOf is the HTTP status that comes with a Route 53 error code.
func statusOf(code string) int {
	switch code {
	case "NoSuchHostedZone", "NoSuchChange", "NoSuchHealthCheck", "UnknownOperationException":
		return http.StatusNotFound
	case "AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch", "MissingAuthenticationToken", "ExpiredToken", "IncompleteSignature":
		return http.StatusForbidden
	case "HostedZoneAlreadyExists":
		return http.StatusConflict
	case "InternalFailure", "InternalError":
		return http.StatusInternalServerError
	case "ServiceUnavailable":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// errBatch is InvalidChangeBatch with everything that is wrong with the batch, in brackets as AWS writes it.
func errBatch(messages []string) *apiError {
	e := refuse("InvalidChangeBatch", "[%s]", strings.Join(messages, ", "))
	e.list = messages
	return e
}

func errInput(format string, args ...any) *apiError { return refuse("InvalidInput", format, args...) }

func errNoZone(id string) *apiError {
	return refuse("NoSuchHostedZone", "No hosted zone found with ID: %s", id)
}

func errNoChange(id string) *apiError {
	return refuse("NoSuchChange", "Could not find resource with ID: %s", id)
}

func errPrior() *apiError {
	return refuse("PriorRequestNotComplete", "The request was rejected because Route 53 was still processing a prior request.")
}

func errThrottled() *apiError { return refuse("Throttling", "Rate exceeded") }

func errForeign(arn string) *apiError {
	return refuse("AccessDenied", "User: %s is not authorized to access this resource", arn)
}

func errDenied(arn, action string) *apiError {
	return refuse("AccessDenied", "User: %s is not authorized to perform: route53:%s because no identity-based policy allows the route53:%s action",
		arn, action, action)
}

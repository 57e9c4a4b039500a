package ec2sim

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// getCallerIdentity is the one STS action served beside EC2: who am I with this key.
func getCallerIdentity(c *call) ([]element, *apiError) {
	return []element{leaf("Arn", c.arn), leaf("UserId", userID(c.arn, c.account)), leaf("Account", c.account)}, nil
}

// userID has the form that AWS gives it: the account's id for its root, a role's id with the session's name, or a user's id.
func userID(arn, account string) string {
	_, who, _ := strings.Cut(arn, ":"+account+":")
	part := strings.Split(who, "/")
	switch {
	case who == "root":
		return account
	case part[0] == "assumed-role" && len(part) == 3:
		return "AROASIMULATED" + account[:8] + ":" + part[2]
	}
	return "AIDASIMULATED" + account[:8]
}

func stsAnswer(action, requestID string, body []element) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	fmt.Fprintf(&b, `<%sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`, action)
	branch(action+"Result", body...).write(&b)
	branch("ResponseMetadata", leaf("RequestId", requestID)).write(&b)
	fmt.Fprintf(&b, "</%sResponse>", action)
	return b.Bytes()
}

// stsRefusal is how STS refuses: another document than EC2's, and other words for a key it does not know.
func stsRefusal(e *apiError, requestID string) (int, []byte) {
	refused := *e
	if e.code == "AuthFailure" {
		refused = apiError{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."}
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	b.WriteString(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`)
	branch("Error", leaf("Type", "Sender"), leaf("Code", refused.code), leaf("Message", refused.message)).write(&b)
	leaf("RequestId", requestID).write(&b)
	b.WriteString("</ErrorResponse>")
	return refused.status, b.Bytes()
}

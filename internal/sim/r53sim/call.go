package r53sim

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one request on its way through the endpoint.
type call struct {
	s         *Server
	requestID string
	at        time.Time
	action    string
	zone, id  string // from the path
	query     url.Values
	body      []byte
	changes   []change // a batch's, as far as it could be read
	asked     map[string]string
	keyID     string
	account   string
	arn       string
	header    http.Header
	fault     *armedFault
	out       answer
	dropped   bool
}

// answer is a successful answer: its root element and status (0 = 200).
type answer struct {
	root   element
	status int
}

// maxBody bounds a request: AWS takes batches of 32,000 characters of values.
const maxBody = 1 << 20

// read takes a request apart and finds out who sent it. The call is never nil.
func (s *Server) read(r *http.Request) (*call, *apiError) {
	c := &call{s: s, at: s.clock(), requestID: s.nextRequestID(), query: r.URL.Query(), asked: map[string]string{}, header: http.Header{}}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return c, errInput("reading the request: %v", err)
	}
	c.body = body
	c.route(r.Method, r.URL.Path)
	key, sig, refused := s.authenticate(r, body, c.at)
	c.keyID = sig.KeyID
	if refused != nil {
		return c, refused
	}
	c.account, c.arn = key.Account, key.ARN
	if s.throttled(c.account, c.at) {
		return c, errThrottled()
	}
	if c.action == "" {
		return c, refuse("UnknownOperationException", "")
	}
	return c, permitted(key, c.action)
}

// route finds the action and what the path names, and notes what was asked for the log.
func (c *call) route(method, path string) {
	path, ok := strings.CutPrefix(path, "/2013-04-01/")
	if !ok {
		return
	}
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	at := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch verb := method + " " + parts[0]; {
	case verb == "POST hostedzone" && len(parts) == 1:
		c.action = "CreateHostedZone"
	case verb == "GET hostedzone" && len(parts) == 1:
		c.action = "ListHostedZones"
	case verb == "GET hostedzonesbyname" && len(parts) == 1:
		c.action = "ListHostedZonesByName"
	case verb == "GET hostedzone" && len(parts) == 2:
		c.action, c.zone = "GetHostedZone", at(1)
	case verb == "DELETE hostedzone" && len(parts) == 2:
		c.action, c.zone = "DeleteHostedZone", at(1)
	case verb == "GET hostedzone" && len(parts) == 3 && at(2) == "rrset":
		c.action, c.zone = "ListResourceRecordSets", at(1)
	case verb == "POST hostedzone" && len(parts) == 3 && at(2) == "rrset":
		c.action, c.zone = "ChangeResourceRecordSets", at(1)
	case verb == "GET change" && len(parts) == 2:
		c.action, c.id = "GetChange", at(1)
	case verb == "GET testdnsanswer" && len(parts) == 1:
		c.action, c.zone = "TestDNSAnswer", c.query.Get("hostedzoneid")
	case verb == "GET tags" && len(parts) == 3:
		c.action, c.id = "ListTagsForResource", at(2)
		c.asked["type"] = at(1)
	}
	c.note()
}

// note writes down what was asked.
func (c *call) note() {
	for name := range c.query {
		c.asked[name] = c.query.Get(name)
	}
	if c.zone != "" {
		c.asked["zone"] = c.zone
	}
	if c.id != "" {
		c.asked["id"] = c.id
	}
	if c.action == "ChangeResourceRecordSets" {
		c.changes, _, _ = parseBatch(c.body) // what is wrong with it is said when it is carried out
		c.asked["changes"] = tellChanges(c.changes)
	}
}

func (s *Server) nextRequestID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", s.requests)
}

func (c *call) run() (answer, *apiError) {
	switch c.action {
	case "CreateHostedZone":
		return c.createHostedZone()
	case "DeleteHostedZone":
		return c.deleteHostedZone()
	case "GetHostedZone":
		return c.getHostedZone()
	case "ListHostedZones":
		return c.listHostedZones()
	case "ListHostedZonesByName":
		return c.listHostedZonesByName()
	case "ListResourceRecordSets":
		return c.listRecords()
	case "ChangeResourceRecordSets":
		return c.changeRecords()
	case "GetChange":
		return c.getChange()
	case "TestDNSAnswer":
		return c.testAnswer()
	}
	return c.listTags()
}

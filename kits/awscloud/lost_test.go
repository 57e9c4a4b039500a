package awscloud_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// What a person reads when AWS cannot be reached must be one line that says where to look.
func TestUnreachableIsSaidInOneLine(t *testing.T) {
	isolate(t)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	secure.Config.ErrorLog = nil
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html>the proxy is sorry</html>"))
	}))
	defer page.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}))
	defer cut.Close()
	for what, test := range map[string]struct{ endpoint, text string }{
		"refused":     {closed.URL, "refuses the connection"},
		"certificate": {secure.URL, "is not trusted: look at AWS_CA_BUNDLE"},
		"no name":     {"http://ec2.invalid", "cannot be resolved: look at the engine's DNS"},
		"proxy":       {page.URL, "502"},
		"cut":         {cut.URL, "dropped the connection"},
	} {
		a := ferryKey()
		a.Endpoint = test.endpoint
		c := awscloud.New(awscloud.Options{})
		_, err := c.RouteTables(t.Context(), a, "vpc-1")
		_, _, dnsErr := c.Record(t.Context(), a, "Z1", "www.example.com", cloud.TypeA)
		for _, err := range []error{err, dnsErr} {
			if cloud.KindOf(err) != cloud.Unreachable || !strings.Contains(err.Error(), test.text) {
				t.Errorf("%s: %v", what, err)
			}
			for _, noise := range []string{"RequestID", "operation error", "http://", "\n"} {
				if text := strings.ReplaceAll(err.Error(), "check that "+test.endpoint, ""); strings.Contains(text, noise) {
					t.Errorf("%s: %q is in: %v", what, noise, err)
				}
			}
		}
	}
}

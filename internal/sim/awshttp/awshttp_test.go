package awshttp_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/internal/sim/awshttp"
)

// The first vector of AWS's own Signature Version 4 test suite (get-vanilla), with its example key.
func TestSignatureIsAWSs(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://example.amazonaws.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	const header = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, " +
		"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	sig, ok := awshttp.ParseSignature(header)
	if !ok || !sig.Made(secret, r, nil) {
		t.Errorf("%+v, computed %s", sig, sig.Compute(secret, r, nil))
	}
	for name, wrong := range map[string]bool{
		"another secret": sig.Made(secret+"x", r, nil),
		"another body":   sig.Made(secret, r, []byte("x")),
	} {
		if wrong {
			t.Errorf("%s passes, too", name)
		}
	}
	for _, bad := range []string{"", "Basic x", strings.Replace(header, "host;", "", 1), strings.Replace(header, "/aws4_request", "", 1), strings.Replace(header, "Signature=", "Sig=", 1)} {
		if _, ok := awshttp.ParseSignature(bad); ok {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestTransportGivesAnswersAndDroppedConnections(t *testing.T) {
	rt := awshttp.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/drop" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, r.Host)
	}))
	for path, dropped := range map[string]bool{"/": false, "/drop": true} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://host.test"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := rt.RoundTrip(r)
		if dropped {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("dropped: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(body) != "host.test" {
			t.Errorf("%q, %v", body, err)
		}
	}
}

package r53sim_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/awshttp"
)

// wire is a client that knows nothing but HTTP, XML and signatures.
type wire struct {
	http http.RoundTripper
	now  func() time.Time
}

// answered is a response in parts.
type answered struct {
	status int
	body   string
	err    error
}

// in is the text of the first element of that name.
func (a answered) in(element string) string {
	d := xml.NewDecoder(strings.NewReader(a.body))
	for {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		if s, ok := t.(xml.StartElement); ok && s.Name.Local == element {
			var text string
			if d.DecodeElement(&text, &s) != nil {
				return ""
			}
			return text
		}
	}
}

func (w wire) do(ctx context.Context, method, path, body string) answered {
	r, err := http.NewRequestWithContext(ctx, method, "http://route53.simulated/2013-04-01/"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return answered{err: err}
	}
	w.sign(r, body)
	resp, err := w.http.RoundTrip(r)
	if err != nil {
		return answered{err: err}
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return answered{resp.StatusCode, string(got), err}
}

func (w wire) sign(r *http.Request, body string) {
	now := time.Now
	if w.now != nil {
		now = w.now
	}
	date := now().UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", date)
	r.Host = r.URL.Host
	sig := awshttp.Signature{KeyID: "AKIAFERRY", Date: date[:8], Region: "us-east-1", Service: "route53", Headers: []string{"host", "x-amz-date"}}
	value := sig.Compute("ferry-secret", r, []byte(body))
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=AKIAFERRY/%s/us-east-1/route53/aws4_request, SignedHeaders=host;x-amz-date, Signature=%s", date[:8], value))
}

// change is a batch in the API's XML, from "ACTION name ip" lines.
func (w wire) change(ctx context.Context, zone string, lines ...string) answered {
	var b strings.Builder
	b.WriteString(`<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>`)
	for _, line := range lines {
		f := strings.Fields(line)
		fmt.Fprintf(&b, `<Change><Action>%s</Action><ResourceRecordSet><Name>%s</Name><Type>A</Type><TTL>10</TTL><ResourceRecords><ResourceRecord><Value>%s</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>`, f[0], f[1], f[2])
	}
	b.WriteString(`</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`)
	return w.do(ctx, "POST", "hostedzone/"+zone+"/rrset/", b.String())
}

// move is the compare-and-change batch that moves the seed's record.
func (w wire) move(t *testing.T, from, to string) answered {
	t.Helper()
	return w.change(t.Context(), "ZFERRY", "DELETE www.example.jp "+from, "CREATE www.example.jp "+to)
}

// status is what GetChange says.
func (w wire) status(t *testing.T, id string) string {
	t.Helper()
	return w.do(t.Context(), "GET", "change/"+strings.TrimPrefix(id, "/change/"), "").in("Status")
}

package awscloud

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// topic answers as SNS does: a form in, XML out.
type topic struct {
	got    []url.Values
	auth   []string
	refuse int // how many calls are refused first
	code   string
}

func (s *topic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.auth = append(s.auth, r.Header.Get("Authorization"))
	w.Header().Set("Content-Type", "text/xml")
	if s.refuse > 0 {
		s.refuse--
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`<ErrorResponse><Error><Type>Sender</Type><Code>` + s.code + `</Code><Message>no</Message></Error></ErrorResponse>`))
		return
	}
	s.got = append(s.got, r.PostForm)
	_, _ = w.Write([]byte(`<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`))
}

const arn = "arn:aws:sns:ap-northeast-1:123456789012:ferry"

func TestPublish(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAFERRY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "ferry-secret")
	for _, c := range []struct {
		name, code string
		refuse     int
		want       string // in the error
		calls      int
	}{
		{"accepted", "", 0, "", 1},
		{"throttled at first", "Throttling", 2, "", 3},
		{"no such topic", "NotFound", 9, "NotFound", 1},
		{"not allowed", "AuthorizationError", 9, "AuthorizationError", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &topic{refuse: c.refuse, code: c.code}
			h := httptest.NewServer(s)
			defer h.Close()
			err := New(Options{}).Publish(t.Context(), arn, "", h.URL, "ferry: failover", "www は移動しました。")
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if len(s.auth) != c.calls {
				t.Errorf("%d calls, want %d", len(s.auth), c.calls)
			}
			if c.want != "" {
				return
			}
			f := s.got[0]
			if f.Get("TopicArn") != arn || f.Get("Subject") != "ferry: failover" || f.Get("Message") != "www は移動しました。" {
				t.Errorf("sent %v", f)
			}
			if !strings.Contains(s.auth[0], "/ap-northeast-1/sns/") {
				t.Errorf("signed for %q, not for the topic's region", s.auth[0])
			}
		})
	}
	if err := New(Options{}).Publish(t.Context(), "ferry", "", "", "", "x"); err == nil {
		t.Error("a topic without a region was accepted")
	}
}

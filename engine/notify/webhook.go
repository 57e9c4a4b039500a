package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// SignatureHeader signs a webhook's body: "t=UNIX,v1=HEX", the HMAC-SHA256 of "UNIX."
// and the body under the secret. The time is signed too, so that a receiver can refuse
// what is old.
const SignatureHeader = "Ferry-Signature"

// Sign gives the header's value.
func Sign(secret string, at time.Time, body []byte) string {
	unix := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(unix + "."))
	h.Write(body)
	return "t=" + unix + ",v1=" + hex.EncodeToString(h.Sum(nil))
}

// post sends the message; any 2xx is success. A redirect is none: the definition says
// where messages go.
func post(ctx context.Context, n hierarchy.Notify, m Message) error {
	where := n.URL
	if n.URLFile != "" {
		s, err := secret(n.URLFile)
		if err != nil {
			return err
		}
		where = s
	}
	text, err := body(m)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, where, bytes.NewReader(text))
	if err != nil {
		return errors.New("this is no URL") // the error would show it, and it may be a secret
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ferry")
	req.Header.Set("Ferry-Id", m.ID)
	if n.SecretFile != "" {
		key, err := secret(n.SecretFile)
		if err != nil {
			return err
		}
		req.Header.Set(SignatureHeader, Sign(key, time.Now(), text))
	}
	return answered(req)
}

// answered makes the request. Connections are not kept: messages are rare, and one
// that has died meanwhile would cost a try.
func answered(req *http.Request) error {
	client := &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	r, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL, which may be a secret
		}
		return fmt.Errorf("posting to %s: %w", req.URL.Host, err)
	}
	defer r.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(r.Body, 300))
	if r.StatusCode < 200 || r.StatusCode > 299 {
		return fmt.Errorf("%s answered %s %s", req.URL.Host, r.Status, clean(string(said), 200))
	}
	return nil
}

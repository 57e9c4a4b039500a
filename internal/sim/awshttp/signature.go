package awshttp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Signature is what an AWS4-HMAC-SHA256 Authorization header says.
type Signature struct {
	// KeyID, Date (YYYYMMDD), Region and Service are the credential scope.
	KeyID, Date, Region, Service string
	// Headers are the names of the signed headers, in the order they were signed.
	Headers []string
	// Value is the signature itself, in hex.
	Value string
}

// ParseSignature reads an Authorization header; false when it is none of Signature Version 4 or leaves the host unsigned.
func ParseSignature(header string) (Signature, bool) {
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return Signature{}, false
	}
	var sig Signature
	for _, part := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return Signature{}, false
			}
			sig.KeyID, sig.Date, sig.Region, sig.Service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			sig.Headers = strings.Split(value, ";")
		case "Signature":
			sig.Value = value
		}
	}
	return sig, sig.KeyID != "" && sig.Value != "" && slices.Contains(sig.Headers, "host")
}

// Made says whether the holder of secret made this signature for this request.
func (sig Signature) Made(secret string, r *http.Request, body []byte) bool {
	return hmac.Equal([]byte(sig.Compute(secret, r, body)), []byte(sig.Value))
}

// Compute is the signature that the request should carry in sig's scope, in hex.
func (sig Signature) Compute(secret string, r *http.Request, body []byte) string {
	canonical := strings.Join([]string{
		r.Method, canonicalPath(r.URL), canonicalQuery(r.URL.Query()), canonicalHeaders(sig.Headers, r),
		strings.Join(sig.Headers, ";"), sum(body),
	}, "\n")
	scope := sig.Date + "/" + sig.Region + "/" + sig.Service + "/aws4_request"
	text := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + scope + "\n" + sum([]byte(canonical))
	key := []byte("AWS4" + secret)
	for _, part := range []string{sig.Date, sig.Region, sig.Service, "aws4_request", text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// canonicalPath is the path as it was sent, with each segment escaped once more: every service but S3 wants it so.
func canonicalPath(u *url.URL) string {
	sent := u.EscapedPath()
	if sent == "" {
		return "/"
	}
	segments := strings.Split(sent, "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	return strings.Join(segments, "/")
}

func canonicalQuery(q url.Values) string {
	return strings.ReplaceAll(q.Encode(), "+", "%20") // Encode sorts by name and writes a blank as +
}

func canonicalHeaders(names []string, r *http.Request) string {
	var b strings.Builder
	for _, name := range names {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		b.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	return b.String()
}

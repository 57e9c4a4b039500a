package r53sim

import (
	"net/http"
	"path"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/awshttp"
)

// signingRegion is the one region that Route 53's requests are signed for: its control plane lives there.
const signingRegion = "us-east-1"

// authenticate finds the key that signed the request and checks the signature with its secret.
func (s *Server) authenticate(r *http.Request, body []byte, now time.Time) (*Key, awshttp.Signature, *apiError) {
	header := r.Header.Get("Authorization")
	sig, ok := awshttp.ParseSignature(header)
	switch {
	case header == "":
		return nil, sig, refuse("MissingAuthenticationToken", "Missing Authentication Token")
	case !ok:
		return nil, sig, refuse("IncompleteSignature", "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.")
	}
	key := s.key(sig.KeyID)
	if key == nil || r.Header.Get("X-Amz-Security-Token") != key.Token {
		return nil, sig, refuse("InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	if sig.Region != signingRegion || sig.Service != "route53" {
		return nil, sig, refuse("SignatureDoesNotMatch", "Credential should be scoped to a valid region and service, not '%s' and '%s'.", sig.Region, sig.Service)
	}
	if !sig.Made(key.Secret, r, body) {
		return nil, sig, refuse("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if refused := s.inTime(r.Header.Get("X-Amz-Date"), now); refused != nil {
		return nil, sig, refused
	}
	if !key.Expires.IsZero() && now.After(key.Expires) {
		return nil, sig, refuse("ExpiredToken", "The security token included in the request is expired")
	}
	return key, sig, nil
}

// inTime refuses a request whose sender's clock is too far off.
func (s *Server) inTime(date string, now time.Time) *apiError {
	skew := s.options().MaxSkew
	if skew <= 0 {
		return nil
	}
	const layout = "20060102T150405Z"
	sent, err := time.Parse(layout, date)
	switch {
	case err != nil:
		return refuse("IncompleteSignature", "Date must be in ISO-8601 'basic format'. Got '%s'.", date)
	case now.Sub(sent) > skew:
		return refuse("SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s", date, now.Add(-skew).UTC().Format(layout))
	case sent.Sub(now) > skew:
		return refuse("SignatureDoesNotMatch", "Signature not yet current: %s is still later than %s", date, now.Add(skew).UTC().Format(layout))
	}
	return nil
}

func (s *Server) key(id string) *Key {
	for i := range s.keys {
		if s.keys[i].ID == id {
			return &s.keys[i]
		}
	}
	return nil
}

// permitted refuses what the key may not do.
func permitted(key *Key, action string) *apiError {
	for _, pattern := range key.Deny {
		if ok, err := path.Match(pattern, action); ok && err == nil {
			return errDenied(key.ARN, action)
		}
	}
	return nil
}

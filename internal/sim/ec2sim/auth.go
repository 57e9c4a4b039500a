package ec2sim

import (
	"net/http"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/awshttp"
)

// authenticate finds the key that signed the request and checks the signature with its secret.
func authenticate(w *World, r *http.Request, body []byte, now time.Time) (*Key, awshttp.Signature, *apiError) {
	sig, ok := awshttp.ParseSignature(r.Header.Get("Authorization"))
	if !ok {
		return nil, sig, errAuth()
	}
	key := find(w.Keys, func(k *Key) bool { return k.ID == sig.KeyID })
	if key == nil || !sig.Made(key.Secret, r, body) {
		return nil, sig, errAuth()
	}
	if r.Header.Get("X-Amz-Security-Token") != key.Token {
		return nil, sig, errAuth()
	}
	if !key.Expires.IsZero() && now.After(key.Expires) {
		return nil, sig, refuse("RequestExpired", "Request has expired.")
	}
	return key, sig, nil
}

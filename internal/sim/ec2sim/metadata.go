package ec2sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Metadata is the instance metadata service (IMDSv2) of one instance, with a role whose credentials are the given key.
// Serve it and set AWS_EC2_METADATA_SERVICE_ENDPOINT to reach it.
func (s *Server) Metadata(instance, keyID string) http.Handler {
	const token = "imds-token"
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		fmt.Fprint(w, token)
	})
	get := func(path string, answer func() (string, bool)) {
		mux.HandleFunc("GET /latest/meta-data/"+path, func(w http.ResponseWriter, r *http.Request) {
			text, ok := answer()
			switch {
			case r.Header.Get("X-Aws-Ec2-Metadata-Token") != token:
				w.WriteHeader(http.StatusUnauthorized)
			case !ok:
				w.WriteHeader(http.StatusNotFound)
			default:
				fmt.Fprint(w, text)
			}
		})
	}
	get("instance-id", func() (string, bool) { return instance, true })
	get("iam/security-credentials/{$}", func() (string, bool) { return "ferry-role", s.hasKey(keyID) })
	get("iam/security-credentials/ferry-role", func() (string, bool) { return s.roleCredentials(keyID) })
	return mux
}

func (s *Server) hasKey(id string) bool {
	return find(s.present().Keys, func(k *Key) bool { return k.ID == id }) != nil
}

// roleCredentials is the metadata service's answer for a role, good for six hours.
func (s *Server) roleCredentials(id string) (string, bool) {
	k := find(s.present().Keys, func(k *Key) bool { return k.ID == id })
	if k == nil {
		return "", false
	}
	expires := k.Expires
	if expires.IsZero() {
		expires = s.clock().Add(6 * time.Hour)
	}
	text, err := json.Marshal(map[string]string{
		"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": k.ID, "SecretAccessKey": k.Secret, "Token": k.Token,
		"LastUpdated": s.clock().UTC().Format(time.RFC3339), "Expiration": expires.UTC().Format(time.RFC3339),
	})
	return string(text), err == nil
}

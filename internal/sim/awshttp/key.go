package awshttp

import "time"

// Key is an access key that an endpoint accepts. The endpoints of one simulated account share their keys.
type Key struct {
	ID, Secret string
	// Token is the session token of a temporary key; empty for a long-lived one.
	Token string
	// Expires is when a temporary key ends; the zero time means never.
	Expires time.Time
	// Account is the owner of what this key sees and changes (default: the endpoint's default account).
	Account string
	// ARN is what GetCallerIdentity answers (default: user "ferry" of Account).
	ARN string
	// Deny lists actions refused as not permitted, as path.Match patterns ("ReplaceRoute", "Describe*").
	Deny []string
}

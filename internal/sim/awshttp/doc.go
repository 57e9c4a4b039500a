// Package awshttp is what the simulated AWS endpoints (ec2sim, r53sim) have in common: checking a request's
// Signature Version 4 with the secret of the key that made it, and serving a handler as an http.RoundTripper without a
// network, for tests in testing/synctest bubbles.
//
// It knows no service, no errors and no faults: what a wrong signature is answered with differs from service to
// service and stays theirs. Nothing here is product: only the simulated endpoints and their tests import it.
package awshttp

package ec2sim

import (
	"net/http"

	"github.com/ferry-ha/ferry/internal/sim/awshttp"
)

// Transport is the endpoint as an http.RoundTripper without a network between: in a synctest bubble a listener would
// keep the clock from moving. A dropped connection comes back as an error, as it would from a real one.
func (s *Server) Transport() http.RoundTripper { return awshttp.Transport(s) }

// Package awscloud asks and changes AWS. It is the only package that imports the AWS SDK; its callers (the kits, the
// engine's cloud port, the doctor) see the plain types of kits/cloud.
//
// Every call names its region and credentials (cloud.Access) and has a deadline: the context's, or Options.Timeout when
// that comes first. Errors are *cloud.Error.
//
// The SDK's own retries are switched off, because they end after three tries whatever the deadline and repeat changes
// that must not be repeated. Here a throttled call is tried again with capped, jittered back-off until the deadline,
// and then reported as Throttled: not known, which is not failed. Calls that got no answer are tried a few times when
// doing them twice does no harm. Answers (refused, not found, unauthorized) are never tried again.
//
// Changes of DNS records are the exception to trying again: one whose answer got lost is not sent twice, since the second
// try would meet what the first one did and be refused; the caller reads the record instead. Route 53 counts the calls of
// a whole account, so that all its callers share one rate (rate.go), and it is signed for one home region wherever the
// caller is.
//
// Nothing here decides, caches an answer, or knows clusters.
package awscloud

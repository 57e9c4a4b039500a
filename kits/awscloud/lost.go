package awscloud

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
)

// lost says in one line why a call got no answer. The SDK's own text wraps that five times over: operation, status,
// request id and the whole URL stand before the one thing that one can look at.
func lost(err error) error {
	host := "AWS"
	var u *url.Error
	if errors.As(err, &u) {
		if at, perr := url.Parse(u.URL); perr == nil && at.Host != "" {
			host = at.Host
		}
	}
	var name *net.DNSError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var timeout net.Error
	switch {
	case errors.As(err, &name):
		return fmt.Errorf("the name %s cannot be resolved: look at the engine's DNS", name.Name)
	case errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &invalid):
		return fmt.Errorf("the certificate of %s is not trusted: look at AWS_CA_BUNDLE, a proxy in between, and the clock", host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%s refuses the connection", host)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return fmt.Errorf("there is no route to %s", host)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return fmt.Errorf("%s dropped the connection", host)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s does not answer", host)
	}
	return errors.New(innermost(err))
}

// innermost is the text of the error that all others wrap.
func innermost(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

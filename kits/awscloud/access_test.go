package awscloud_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// listen serves the simulated EC2 on a real port, over TLS with a private CA or in the clear.
func listen(t *testing.T, secure bool) (*ec2sim.Server, *httptest.Server) {
	t.Helper()
	s, err := ec2sim.New(world(), ec2sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := httptest.NewUnstartedServer(s)
	l.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are part of the test
	if secure {
		l.StartTLS()
	} else {
		l.Start()
	}
	t.Cleanup(func() { s.Close(); l.Close() })
	return s, l
}

// asked is the key that reached the endpoint with a question made so; empty when none did.
func asked(t *testing.T, s *ec2sim.Server, a cloud.Access) (string, error) {
	t.Helper()
	s.ResetCalls()
	_, err := awscloud.New(awscloud.Options{}).Instance(t.Context(), a, "i-a")
	if calls := s.Calls(); len(calls) > 0 {
		return calls[0].KeyID, err
	}
	return "", err
}

func TestCredentialsOfEverySource(t *testing.T) {
	isolate(t)
	s, l := listen(t, false)
	imds := httptest.NewServer(s.Metadata("i-a", "ASIAROLE"))
	defer imds.Close()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.URL)
	t.Setenv("AWS_CONFIG_FILE", file(t, "config", "[profile dr]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = profile-secret\n"))
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAREADER")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "reader-secret")
	for want, a := range map[string]cloud.Access{
		"AKIAREADER":  {},
		"AKIAPROFILE": {Source: cloud.FromProfile, Profile: "dr"},
		"ASIAROLE":    {Source: cloud.FromRole},
		"AKIAFERRY":   ferryKey(),
	} {
		a.Region, a.Endpoint = region, l.URL
		if got, err := asked(t, s, a); err != nil || got != want {
			t.Errorf("%s: asked as %q, %v", a, got, err)
		}
	}
}

func TestEndpointOverrides(t *testing.T) {
	isolate(t)
	explicit, l1 := listen(t, false)
	service, l2 := listen(t, false)
	general, l3 := listen(t, false)
	a := ferryKey()
	t.Setenv("AWS_ENDPOINT_URL", l3.URL)
	if got, err := asked(t, general, a); err != nil || got == "" {
		t.Errorf("AWS_ENDPOINT_URL is not honoured: %v", err)
	}
	t.Setenv("AWS_ENDPOINT_URL_EC2", l2.URL)
	if got, err := asked(t, service, a); err != nil || got == "" {
		t.Errorf("AWS_ENDPOINT_URL_EC2 does not win over AWS_ENDPOINT_URL: %v", err)
	}
	a.Endpoint = l1.URL
	if got, err := asked(t, explicit, a); err != nil || got == "" {
		t.Errorf("the definition's endpoint does not win: %v", err)
	}
}

func TestCABundleOfTheMachineIsUsed(t *testing.T) {
	isolate(t)
	s, l := listen(t, true)
	a := ferryKey()
	a.Endpoint = l.URL
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Certificate().Raw}))
	t.Setenv("AWS_CA_BUNDLE", file(t, "ca.pem", ca))
	if got, err := asked(t, s, a); err != nil || got != "AKIAFERRY" {
		t.Errorf("with the CA in AWS_CA_BUNDLE: %q, %v", got, err)
	}
	t.Setenv("AWS_CA_BUNDLE", "")
	_, err := asked(t, s, a)
	wantError(t, "without the CA", err, cloud.Unreachable, "")
}

func TestMissingCredentialsAreUnauthorizedAndSaySo(t *testing.T) {
	isolate(t)
	s, l := listen(t, false)
	for what, a := range map[string]cloud.Access{
		"nothing configured": {Region: region, Endpoint: l.URL},
		"unknown profile":    {Region: region, Endpoint: l.URL, Source: cloud.FromProfile, Profile: "nobody"},
		"no role":            {Region: region, Endpoint: l.URL, Source: cloud.FromRole},
	} {
		key, err := asked(t, s, a)
		wantError(t, what, err, cloud.Unauthorized, "")
		if key != "" {
			t.Errorf("%s: the endpoint was asked as %q", what, key)
		}
	}
}

// Keys are renewed in files: the next call after a refusal must read them again.
func TestRenewedCredentialsAreReadAfterARefusal(t *testing.T) {
	isolate(t)
	_, l := listen(t, false)
	path := file(t, "config", "[profile dr]\naws_access_key_id = AKIAGONE\naws_secret_access_key = x\n")
	t.Setenv("AWS_CONFIG_FILE", path)
	c := awscloud.New(awscloud.Options{})
	a := cloud.Access{Region: region, Endpoint: l.URL, Source: cloud.FromProfile, Profile: "dr"}
	_, err := c.Instance(t.Context(), a, "i-a")
	wantError(t, "old key", err, cloud.Unauthorized, "AuthFailure")
	set(t, os.WriteFile(path, []byte("[profile dr]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = profile-secret\n"), 0o600))
	if _, err := c.Instance(t.Context(), a, "i-a"); err != nil {
		t.Errorf("renewed key: %v", err)
	}
}

func TestNobodyListensIsUnreachable(t *testing.T) {
	isolate(t)
	l := httptest.NewServer(http.NotFoundHandler())
	l.Close() // its port is free now
	a := ferryKey()
	a.Endpoint = l.URL
	_, err := awscloud.New(awscloud.Options{}).Instance(t.Context(), a, "i-a")
	wantError(t, "nobody listens", err, cloud.Unreachable, "")
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	set(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

package r53sim_test

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// python is Debian's own interpreter, the one its python3-boto3 belongs to.
const python = "/usr/bin/python3"

// TestBoto3AgreesWithRoute53 lets an independent client, which carries AWS's official service model, say whether the
// endpoint answers as Route 53 does. The facts it checks are in testdata/facts.py, one function each.
func TestBoto3AgreesWithRoute53(t *testing.T) {
	needBoto3(t)
	_, url := serve(t, r53sim.Options{})
	runBoto3(t, "testdata/facts.py", url)
}

// TestBoto3ReplaysTheOfficialExamples sends the requests of botocore's examples and holds every answer against the
// official model and the example's answer.
func TestBoto3ReplaysTheOfficialExamples(t *testing.T) {
	needBoto3(t)
	_, url := serve(t, r53sim.Options{SyncLag: time.Hour})
	runBoto3(t, "testdata/examples.py", url)
}

// TestBoto3SeesThrottlingAndLag is the same for answers that come late or not at all.
func TestBoto3SeesThrottlingAndLag(t *testing.T) {
	needBoto3(t)
	s, url := serve(t, r53sim.Options{SyncLag: 3 * time.Second})
	s.Inject(r53sim.Throttle("ListHostedZones", 3))
	s.Inject(r53sim.Fault{Action: "ChangeResourceRecordSets", Record: "busy.example.jp", Times: 1, Code: "PriorRequestNotComplete", Message: "prior"})
	s.Inject(r53sim.Fault{Action: "ChangeResourceRecordSets", Record: "stuck.example.jp", Stuck: true})
	s.Inject(r53sim.Fault{Action: "ChangeResourceRecordSets", Record: "cut.example.jp", DropAfter: true})
	runBoto3(t, "testdata/faults.py", url)
}

func runBoto3(t *testing.T, script, url string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, script, url)
	// Nothing of the machine's own configuration may reach the client.
	cmd.Env = []string{"PATH=/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "PYTHONDONTWRITEBYTECODE=1"}
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("boto3 disagrees: %v\n%s", err, out.Bytes())
	}
	t.Logf("%s", out.Bytes())
}

// needBoto3 leaves the test out where the independent client is not installed, except where FERRY_REQUIRE_REAL=1 says
// that nothing may be left out.
func needBoto3(t *testing.T) {
	t.Helper()
	err := exec.CommandContext(t.Context(), python, "-c", "import boto3").Run()
	switch {
	case err == nil:
	case os.Getenv("FERRY_REQUIRE_REAL") == "1":
		t.Fatalf("the package python3-boto3 is needed (%s: %v)", python, err)
	default:
		t.Skipf("left out: python3-boto3 is not installed (%v); the checks by an independent client did not run", err)
	}
}

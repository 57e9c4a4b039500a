"""What the scripts beside share: a client of the endpoint, and asking for a refusal."""
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
ZONE, WWW = "ZFERRY", "www.example.jp."


def client(key="AKIAFERRY", secret="ferry-secret", region="us-east-1", token=None, attempts=1, timeout=10):
    return boto3.client(
        "route53", region_name=region, endpoint_url=ENDPOINT, aws_access_key_id=key, aws_secret_access_key=secret,
        aws_session_token=token, config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=timeout))


def refused(code, status, call, message=None, **args):
    """The call must be refused with exactly this code and HTTP status, and this message where one is given."""
    try:
        call(**args)
    except ClientError as e:
        got = (e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), f"{call.__name__}({args}): got {got}, want {(code, status)}: {e}"
        text = e.response["Error"].get("Message", "")
        assert message is None or text == message, f"got the message {text!r}, want {message!r}"
        return e
    raise AssertionError(f"{call.__name__}({args}) was not refused, want {code}")


def rr(name, kind="A", *values, ttl=10, **more):
    out = {"Name": name, "Type": kind, **more}
    if values:
        out.update(TTL=ttl, ResourceRecords=[{"Value": v} for v in values])
    return out


def batch(*changes, comment=None):
    """A ChangeBatch of pairs (action, record set)."""
    out = {"Changes": [{"Action": a, "ResourceRecordSet": r} for a, r in changes]}
    if comment:
        out["Comment"] = comment
    return out


def run(facts, least):
    """Asks every fact, whatever became of the others, and ends the script."""
    failed = 0
    for fact in facts:
        try:
            fact()
            print("ok   ", fact.__name__)
        except Exception as e:
            failed += 1
            print("FAIL ", fact.__name__, type(e).__name__, e)
    print(f"{len(facts) - failed} of {len(facts)} facts hold")
    sys.exit(1 if failed or len(facts) < least else 0)

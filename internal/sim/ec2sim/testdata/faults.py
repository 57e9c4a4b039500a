"""How boto3 sees throttling, lag and a power-off that is noticed late. Usage: faults.py ENDPOINT

The endpoint is prepared by the test: DescribeVpcs is throttled three times, reads lag some seconds behind writes.
"""
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def client(attempts):
    return boto3.client(
        "ec2", region_name="ap-northeast-1", endpoint_url=sys.argv[1], aws_access_key_id="AKIAFERRY", aws_secret_access_key="ferry-secret",
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=10))


def throttled():
    try:
        client(1).describe_vpcs()
    except ClientError as e:
        got = (e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == ("RequestLimitExceeded", 503), got
        return
    raise AssertionError("the call was not throttled")


def target(ec2):
    found = ec2.describe_route_tables(RouteTableIds=["rtb-main"])["RouteTables"][0]["Routes"]
    return [r["NetworkInterfaceId"] for r in found if r["DestinationCidrBlock"] == "10.1.0.10/32"][0]


throttled()
assert client(3).describe_vpcs()["Vpcs"], "boto3 knows the code as a throttle and tries again by itself"
ec2 = client(1)
ec2.replace_route(RouteTableId="rtb-main", DestinationCidrBlock="10.1.0.10/32", NetworkInterfaceId="eni-lkpb")
assert target(ec2) == "eni-lkpa", "a read right after the write is old"
deadline = time.monotonic() + 30
while target(ec2) != "eni-lkpb":
    assert time.monotonic() < deadline, "the change was never seen"
    time.sleep(0.2)
print("throttling and lag are as boto3 knows them")

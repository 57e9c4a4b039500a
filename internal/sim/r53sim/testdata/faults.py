"""How boto3 sees throttling, lag and answers that do not come. Usage: faults.py ENDPOINT

The endpoint is prepared by the test: ListHostedZones is throttled three times, changes take seconds to be INSYNC, one
change is refused because of a prior one, one never gets INSYNC, and one is made without an answer.
"""
import time

from botocore.exceptions import ConnectionClosedError, WaiterError

from common import ZONE, WWW, batch, client, refused, rr

r53 = client()


def change(*changes, who=r53):
    return who.change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch=batch(*changes))["ChangeInfo"]


def served(name):
    return r53.test_dns_answer(HostedZoneId=ZONE, RecordName=name, RecordType="A")["RecordData"]


refused("Throttling", 400, r53.list_hosted_zones, "Rate exceeded")
assert client(attempts=3).list_hosted_zones()["HostedZones"], "boto3 knows the code as a throttle and tries again by itself"

info = change(("DELETE", rr(WWW, "A", "10.1.0.10")), ("CREATE", rr(WWW, "A", "10.2.0.10")))
assert info["Status"] == "PENDING", info
assert r53.get_change(Id=info["Id"])["ChangeInfo"] == info, "asked again, it is the same change"
listed = [r for r in r53.list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"] if r["Name"] == WWW][0]
assert listed["ResourceRecords"] == [{"Value": "10.2.0.10"}], "lists show a change at once"
assert served(WWW) == ["10.1.0.10"], "name servers show it when it is INSYNC"
r53.get_waiter("resource_record_sets_changed").wait(Id=info["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
assert served(WWW) == ["10.2.0.10"]

refused("PriorRequestNotComplete", 400, r53.change_resource_record_sets, HostedZoneId=ZONE, ChangeBatch=batch(("CREATE", rr("busy.example.jp", "A", "10.0.0.1"))))
change(("CREATE", rr("busy.example.jp", "A", "10.0.0.1")))
change(("CREATE", rr("twice.example.jp", "A", "10.0.0.1")), who=client(attempts=3))

stuck = change(("CREATE", rr("stuck.example.jp", "A", "10.0.0.1")))
try:
    r53.get_waiter("resource_record_sets_changed").wait(Id=stuck["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    raise AssertionError("a stuck change became INSYNC")
except WaiterError:
    pass

try:
    change(("CREATE", rr("cut.example.jp", "A", "10.0.0.1")))
    raise AssertionError("the connection was not dropped")
except ConnectionClosedError:
    pass
names = [r["Name"] for r in r53.list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"]]
assert "cut.example.jp." in names, "the change was made, only its answer is missing"
print("throttling, lag and missing answers are as boto3 knows them")

"""Facts about EC2's answers, asked through boto3. Usage: facts.py ENDPOINT

Each function is one fact; they run in the order they are written and leave the world as they found it.
"""
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
TOKYO, SINGAPORE = "ap-northeast-1", "ap-southeast-1"


def client(key="AKIAFERRY", secret="ferry-secret", region=TOKYO, service="ec2", token=None):
    return boto3.client(
        service, region_name=region, endpoint_url=ENDPOINT, aws_access_key_id=key, aws_secret_access_key=secret,
        aws_session_token=token, config=Config(retries={"total_max_attempts": 1}, read_timeout=10))


ec2 = client()


def refused(code, status, call, **args):
    """The call must be refused with exactly this code and HTTP status."""
    try:
        call(**args)
    except ClientError as e:
        got = (e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"])
        assert got == (code, status), f"{call.__name__}({args}): got {got}, want {(code, status)}"
        return e.response["Error"]["Message"]
    raise AssertionError(f"{call.__name__}({args}) was not refused, want {code}")


def routes(table="rtb-main"):
    found = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    return {r["DestinationCidrBlock"]: r for r in found}


def table_ids(**args):
    return [t["RouteTableId"] for t in ec2.describe_route_tables(**args)["RouteTables"]]


def by(name, *values):
    return {"Filters": [{"Name": name, "Values": list(values)}]}


def route_to_an_eni_reads_back_with_its_instance():
    r = routes()["10.1.0.10/32"]
    assert r["NetworkInterfaceId"] == "eni-lkpa", r
    assert r["InstanceId"] == "i-lkpa", r
    assert r["InstanceOwnerId"] == "123456789012", r
    assert r["State"] == "active" and r["Origin"] == "CreateRoute", r


def local_route_is_there():
    r = routes()["10.0.0.0/16"]
    assert r["GatewayId"] == "local" and r["Origin"] == "CreateRouteTable", r


def replace_moves_a_route_and_create_and_delete_make_and_end_one():
    assert ec2.replace_route(RouteTableId="rtb-main", DestinationCidrBlock="10.1.0.10/32", NetworkInterfaceId="eni-lkpb")
    assert routes()["10.1.0.10/32"]["InstanceId"] == "i-lkpb"
    ec2.replace_route(RouteTableId="rtb-main", DestinationCidrBlock="10.1.0.10/32", InstanceId="i-lkpa")
    assert routes()["10.1.0.10/32"]["NetworkInterfaceId"] == "eni-lkpa"
    made = ec2.create_route(RouteTableId="rtb-main", DestinationCidrBlock="10.9.0.18/24", NetworkInterfaceId="eni-lkpa")
    assert made["Return"] is True
    assert "10.9.0.0/24" in routes(), "CreateRoute brings the block into canonical form"
    ec2.delete_route(RouteTableId="rtb-main", DestinationCidrBlock="10.9.0.0/24")
    assert "10.9.0.0/24" not in routes()


def wrong_route_writes_are_refused_with_ec2s_codes():
    ok = dict(RouteTableId="rtb-main", DestinationCidrBlock="10.7.0.1/32", NetworkInterfaceId="eni-lkpa")
    message = refused("InvalidParameterValue", 400, ec2.replace_route, **ok)
    assert message == "There is no route defined for '10.7.0.1/32' in the route table. Use CreateRoute instead.", message
    refused("RouteAlreadyExists", 400, ec2.create_route, **{**ok, "DestinationCidrBlock": "10.1.0.10/32"})
    refused("InvalidRoute.NotFound", 400, ec2.delete_route, RouteTableId="rtb-main", DestinationCidrBlock="10.1.0.1/32")
    refused("InvalidParameterValue", 400, ec2.delete_route, RouteTableId="rtb-main", DestinationCidrBlock="10.0.0.0/16")
    refused("InvalidRouteTableID.NotFound", 400, ec2.replace_route, **{**ok, "RouteTableId": "rtb-none"})
    refused("InvalidRouteTableID.NotFound", 400, ec2.delete_route, RouteTableId="rtb-none", DestinationCidrBlock="10.1.0.1/32")
    refused("InvalidNetworkInterfaceID.NotFound", 400, ec2.create_route, **{**ok, "NetworkInterfaceId": "eni-none"})
    refused("InvalidNetworkInterfaceID.NotFound", 400, ec2.create_route, **{**ok, "NetworkInterfaceId": "eni-lksa"})
    refused("MissingParameter", 400, ec2.create_route, RouteTableId="rtb-main", DestinationCidrBlock="10.7.0.1/32")
    refused("InvalidParameterCombination", 400, ec2.create_route, **ok, GatewayId="igw-1")
    refused("InvalidParameterValue", 400, ec2.create_route, **{**ok, "DestinationCidrBlock": "10.7.0.1"})
    refused("InvalidParameterValue", 400, ec2.create_route, **{**ok, "DestinationCidrBlock": "10.0.77.0/24"})


def an_instance_with_several_enis_is_no_target():
    args = dict(RouteTableId="rtb-main", DestinationCidrBlock="10.7.0.2/32")
    ec2.create_route(**args, InstanceId="i-vpnpb")
    refused("InvalidInstanceID", 400, ec2.replace_route, **args, InstanceId="i-two")
    refused("InvalidInstanceID", 400, ec2.modify_instance_attribute, InstanceId="i-two", SourceDestCheck={"Value": False})
    ec2.replace_route(**args, NetworkInterfaceId="eni-two1")
    assert routes()["10.7.0.2/32"]["InstanceId"] == "i-two"
    ec2.delete_route(**args)
    refused("InvalidInstanceID.NotFound", 400, ec2.create_route, RouteTableId="rtb-main", DestinationCidrBlock="10.7.0.2/32", InstanceId="i-none")


def dry_run_says_so_and_does_nothing():
    before = routes()
    refused("DryRunOperation", 412, ec2.replace_route, RouteTableId="rtb-main", DestinationCidrBlock="10.1.0.10/32", NetworkInterfaceId="eni-lkpb", DryRun=True)
    refused("DryRunOperation", 412, ec2.stop_instances, InstanceIds=["i-lkpb"], DryRun=True)
    refused("DryRunOperation", 412, ec2.describe_route_tables, DryRun=True)
    refused("DryRunOperation", 412, ec2.associate_address, AllocationId="eipalloc-1", InstanceId="i-vpnpa", DryRun=True)
    assert routes() == before
    assert ec2.describe_instances(InstanceIds=["i-lkpb"])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"


def a_stopped_instance_or_a_detached_eni_makes_a_blackhole():
    answer = ec2.stop_instances(InstanceIds=["i-lkpa"])["StoppingInstances"][0]
    assert answer["CurrentState"] == {"Code": 64, "Name": "stopping"}, answer
    assert answer["PreviousState"] == {"Code": 16, "Name": "running"}, answer
    ec2.get_waiter("instance_stopped").wait(InstanceIds=["i-lkpa"])
    assert routes()["10.1.0.10/32"]["State"] == "blackhole"
    assert table_ids(**by("route.state", "blackhole")) == ["rtb-main", "rtb-extra"]
    ec2.start_instances(InstanceIds=["i-lkpa"])
    ec2.get_waiter("instance_running").wait(InstanceIds=["i-lkpa"])
    assert routes()["10.1.0.10/32"]["State"] == "active"
    ec2.create_route(RouteTableId="rtb-main", DestinationCidrBlock="10.7.0.3/32", NetworkInterfaceId="eni-spare")
    r = routes()["10.7.0.3/32"]
    assert r["State"] == "blackhole" and "InstanceId" not in r, r
    ec2.delete_route(RouteTableId="rtb-main", DestinationCidrBlock="10.7.0.3/32")


def route_tables_are_filtered():
    for name, value, want in [
            ("vpc-id", "vpc-primary", ["rtb-main", "rtb-extra"]),
            ("association.subnet-id", "subnet-pb", ["rtb-extra"]),
            ("association.main", "true", ["rtb-main"]),
            ("route-table-id", "rtb-e*", ["rtb-extra"]),
            ("route.destination-cidr-block", "10.1.0.10/32", ["rtb-main", "rtb-extra"]),
            ("route.destination-cidr-block", "10.1.0.1/32", []),
            ("route.destination-cidr-block", "10.2.*", ["rtb-main"]),
            ("route.instance-id", "i-vpnpa", ["rtb-main"]),
            ("route.state", "blackhole", []),
            ("tag:Name", "Primary", ["rtb-main"])]:
        got = table_ids(**by(name, value))
        assert got == want, f"{name}={value}: {got}"
    refused("InvalidParameterValue", 400, ec2.describe_route_tables, **by("no-such-filter", "x"))
    refused("InvalidRouteTableID.NotFound", 400, ec2.describe_route_tables, RouteTableIds=["rtb-main", "rtb-none"])


def main_and_subnet_associations_read_back():
    got = ec2.describe_route_tables(RouteTableIds=["rtb-extra"])["RouteTables"][0]["Associations"]
    assert [(a["Main"], a.get("SubnetId")) for a in got] == [(False, "subnet-pb")], got
    got = ec2.describe_route_tables(RouteTableIds=["rtb-main"])["RouteTables"][0]["Associations"]
    assert [(a["Main"], a.get("SubnetId")) for a in got] == [(True, None)], got


def another_region_and_another_account_are_other_worlds():
    singapore = client(region=SINGAPORE)
    assert [t["RouteTableId"] for t in singapore.describe_route_tables()["RouteTables"]] == ["rtb-standby"]
    foreign = client("AKIAFOREIGN", "foreign-secret", SINGAPORE)
    assert [t["RouteTableId"] for t in foreign.describe_route_tables()["RouteTables"]] == ["rtb-foreign"]
    refused("InvalidRouteTableID.NotFound", 400, foreign.describe_route_tables, RouteTableIds=["rtb-standby"])
    refused("InvalidRouteTableID.NotFound", 400, ec2.describe_route_tables, RouteTableIds=["rtb-standby"])


def bad_keys_fail_and_denied_keys_are_unauthorized():
    for bad in [client("AKIANOBODY"), client(secret="wrong"), client("ASIATEMP", "temp-secret"), client(region="eu-north-1")]:
        refused("AuthFailure", 401, bad.describe_instances)
    client("ASIATEMP", "temp-secret", token="token-1").describe_instances()
    refused("RequestExpired", 400, client("ASIAOLD", "old-secret", token="token-2").describe_instances)
    reader = client("AKIAREADER", "reader-secret")
    assert reader.describe_route_tables()["RouteTables"]
    args = dict(RouteTableId="rtb-main", DestinationCidrBlock="10.1.0.10/32", NetworkInterfaceId="eni-lkpb")
    refused("UnauthorizedOperation", 403, reader.replace_route, **args)
    refused("UnauthorizedOperation", 403, reader.replace_route, **args, DryRun=True)


def instances_read_back():
    i = ec2.describe_instances(InstanceIds=["i-lkpa"])["Reservations"][0]["Instances"][0]
    assert i["VpcId"] == "vpc-primary" and i["SubnetId"] == "subnet-pa" and i["PrivateIpAddress"] == "10.0.0.10", i
    assert i["Placement"]["AvailabilityZone"] == "ap-northeast-1a" and i["State"] == {"Code": 16, "Name": "running"}, i
    assert [e["NetworkInterfaceId"] for e in i["NetworkInterfaces"]] == ["eni-lkpa"], i
    assert i["Tags"] == [{"Key": "Name", "Value": "LK_P_A"}], i
    refused("InvalidInstanceID.NotFound", 400, ec2.describe_instances, InstanceIds=["i-none"])
    refused("InvalidInstanceID.NotFound", 400, ec2.describe_instances, InstanceIds=["i-lksa"])
    refused("InvalidInstanceID.Malformed", 400, ec2.describe_instances, InstanceIds=["lkpa"])
    refused("InvalidParameterCombination", 400, ec2.describe_instances, InstanceIds=["i-lkpa"], MaxResults=5)
    found = ec2.describe_instances(**by("private-ip-address", "10.0.10.5"))["Reservations"]
    assert [r["Instances"][0]["InstanceId"] for r in found] == ["i-vpnpb"]


def status_is_shown_for_running_instances_unless_all_are_asked_for():
    ec2.stop_instances(InstanceIds=["i-vpnpb"])
    shown = [s["InstanceId"] for s in ec2.describe_instance_status()["InstanceStatuses"]]
    assert shown == ["i-lkpa", "i-lkpb", "i-vpnpa", "i-two"], shown
    s = ec2.describe_instance_status(InstanceIds=["i-vpnpb"], IncludeAllInstances=True)["InstanceStatuses"][0]
    assert s["InstanceState"]["Name"] == "stopped" and s["SystemStatus"]["Status"] == "not-applicable", s
    ec2.start_instances(InstanceIds=["i-vpnpb"])
    s = ec2.describe_instance_status(InstanceIds=["i-vpnpb"])["InstanceStatuses"][0]
    assert s["SystemStatus"]["Status"] == "ok" and s["InstanceStatus"]["Details"][0]["Status"] == "passed", s
    refused("InvalidInstanceID.NotFound", 400, ec2.describe_instance_status, InstanceIds=["i-none"])


def source_dest_check_is_one_setting():
    def seen():
        a = ec2.describe_instances(InstanceIds=["i-lkpb"])["Reservations"][0]["Instances"][0]["SourceDestCheck"]
        b = ec2.describe_network_interfaces(NetworkInterfaceIds=["eni-lkpb"])["NetworkInterfaces"][0]["SourceDestCheck"]
        c = ec2.describe_network_interface_attribute(NetworkInterfaceId="eni-lkpb", Attribute="sourceDestCheck")["SourceDestCheck"]["Value"]
        return {a, b, c}
    assert seen() == {True}
    ec2.modify_instance_attribute(InstanceId="i-lkpb", SourceDestCheck={"Value": False})
    assert seen() == {False}
    ec2.modify_network_interface_attribute(NetworkInterfaceId="eni-lkpb", SourceDestCheck={"Value": True})
    assert seen() == {True}
    refused("InvalidNetworkInterfaceID.NotFound", 400, ec2.modify_network_interface_attribute, NetworkInterfaceId="eni-none", SourceDestCheck={"Value": True})
    refused("InvalidInstanceID.NotFound", 400, ec2.modify_instance_attribute, InstanceId="i-none", SourceDestCheck={"Value": True})


def an_elastic_ip_moves_only_when_reassociation_is_allowed():
    args = dict(AllocationId="eipalloc-1", NetworkInterfaceId="eni-vpnpa")
    first = ec2.associate_address(**args)["AssociationId"]
    assert ec2.associate_address(**args)["AssociationId"] == first, "the same again is no change"
    refused("Resource.AlreadyAssociated", 400, ec2.associate_address, AllocationId="eipalloc-1", NetworkInterfaceId="eni-vpnpb", AllowReassociation=False)
    second = ec2.associate_address(AllocationId="eipalloc-1", NetworkInterfaceId="eni-vpnpb", AllowReassociation=True)["AssociationId"]
    assert second != first
    a = ec2.describe_addresses(AllocationIds=["eipalloc-1"])["Addresses"][0]
    assert a["NetworkInterfaceId"] == "eni-vpnpb" and a["InstanceId"] == "i-vpnpb" and a["PrivateIpAddress"] == "10.0.10.5", a
    eni = ec2.describe_network_interfaces(NetworkInterfaceIds=["eni-vpnpb"])["NetworkInterfaces"][0]
    assert eni["Association"]["PublicIp"] == "54.249.2.50", eni
    refused("InvalidAllocationID.NotFound", 400, ec2.associate_address, AllocationId="eipalloc-none", InstanceId="i-vpnpa")
    refused("InvalidNetworkInterfaceID.NotFound", 400, ec2.associate_address, AllocationId="eipalloc-1", NetworkInterfaceId="eni-none")
    refused("InvalidAssociationID.NotFound", 400, ec2.disassociate_address, AssociationId=first)
    ec2.disassociate_address(AssociationId=second)
    assert "AssociationId" not in ec2.describe_addresses()["Addresses"][0]


def an_elastic_ip_goes_to_a_chosen_private_address_and_displaces_what_is_there():
    made = ec2.allocate_address(Domain="vpc")
    args = dict(NetworkInterfaceId="eni-vpnpa")
    ec2.associate_address(AllocationId="eipalloc-1", **args)
    refused("Resource.AlreadyAssociated", 400, ec2.associate_address, AllocationId=made["AllocationId"], AllowReassociation=False, **args)
    ec2.associate_address(AllocationId=made["AllocationId"], **args)  # reassociation is automatic
    by_ip = {a["PublicIp"]: a for a in ec2.describe_addresses()["Addresses"]}
    assert "AssociationId" not in by_ip["54.249.2.50"], by_ip
    assert by_ip[made["PublicIp"]]["PrivateIpAddress"] == "10.0.0.5", by_ip
    found = ec2.describe_addresses(PublicIps=[made["PublicIp"]])["Addresses"]
    assert [a["AllocationId"] for a in found] == [made["AllocationId"]], found
    refused("InvalidAddress.NotFound", 400, ec2.describe_addresses, PublicIps=["192.0.2.1"])
    refused("InvalidParameterValue", 400, ec2.associate_address, AllocationId="eipalloc-1", PrivateIpAddress="10.0.0.99", **args)
    refused("InvalidInstanceID", 400, ec2.associate_address, AllocationId="eipalloc-1", InstanceId="i-two")
    refused("InvalidNetworkInterfaceID.NotFound", 400, ec2.associate_address, AllocationId="eipalloc-1", NetworkInterfaceId="eni-lksa")
    refused("MissingParameter", 400, ec2.associate_address, AllocationId="eipalloc-1")
    refused("UnauthorizedOperation", 403, client("AKIAREADER", "reader-secret").associate_address, AllocationId="eipalloc-1", DryRun=True, **args)
    refused("InvalidIPAddress.InUse", 400, ec2.release_address, AllocationId=made["AllocationId"])
    ec2.disassociate_address(AssociationId=by_ip[made["PublicIp"]]["AssociationId"])
    ec2.release_address(AllocationId=made["AllocationId"])


def stopping_without_the_os_is_known():
    answer = ec2.stop_instances(InstanceIds=["i-lkpb"], DryRun=False, **({"SkipOsShutdown": True} if "SkipOsShutdown" in
        ec2.meta.service_model.operation_model("StopInstances").input_shape.members else {"Force": True}))
    assert answer["StoppingInstances"][0]["CurrentState"]["Name"] == "stopping", answer
    ec2.get_waiter("instance_stopped").wait(InstanceIds=["i-lkpb"])
    ec2.start_instances(InstanceIds=["i-lkpb"])
    ec2.get_waiter("instance_running").wait(InstanceIds=["i-lkpb"])


def addresses_are_allocated_and_released():
    made = ec2.allocate_address(Domain="vpc")
    assert made["AllocationId"].startswith("eipalloc-") and made["PublicIp"], made
    assert len(ec2.describe_addresses()["Addresses"]) == 2
    ec2.release_address(AllocationId=made["AllocationId"])
    refused("InvalidAllocationID.NotFound", 400, ec2.describe_addresses, AllocationIds=[made["AllocationId"]])


def vpcs_and_subnets_read_back():
    assert [v["CidrBlock"] for v in ec2.describe_vpcs()["Vpcs"]] == ["10.0.0.0/16"]
    zones = {s["SubnetId"]: s["AvailabilityZone"] for s in ec2.describe_subnets(**by("vpc-id", "vpc-primary"))["Subnets"]}
    assert zones == {"subnet-pa": "ap-northeast-1a", "subnet-pb": "ap-northeast-1c"}, zones
    refused("InvalidVpcID.NotFound", 400, ec2.describe_vpcs, VpcIds=["vpc-none"])
    refused("InvalidSubnetID.NotFound", 400, ec2.describe_subnets, SubnetIds=["subnet-none"])


def lists_are_paged():
    foreign = client("AKIAFOREIGN", "foreign-secret", SINGAPORE)
    assert foreign.describe_subnets()["Subnets"] == []
    refused("InvalidParameterValue", 400, ec2.describe_route_tables, MaxResults=1000)
    refused("InvalidNextToken", 400, ec2.describe_route_tables, NextToken="nonsense", MaxResults=5)
    pages = list(ec2.get_paginator("describe_network_interfaces").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(p["NetworkInterfaces"]) for p in pages] == [5, 2], pages
    assert len({e["NetworkInterfaceId"] for p in pages for e in p["NetworkInterfaces"]}) == 7


def a_network_acl_shows_both_directions_and_the_rule_that_denies_the_rest():
    acls = {a["NetworkAclId"]: a for a in ec2.describe_network_acls(**by("vpc-id", "vpc-primary"))["NetworkAcls"]}
    assert len(acls) == 2, acls
    default = next(a for a in acls.values() if a["IsDefault"])
    everything = [(e["Egress"], e["RuleNumber"], e["RuleAction"], e["Protocol"], e["CidrBlock"]) for e in default["Entries"]]
    assert everything == [
        (egress, n, action, "-1", "0.0.0.0/0") for egress in (True, False) for n, action in ((100, "allow"), (32767, "deny"))], everything
    assert "PortRange" not in default["Entries"][0] and default["OwnerId"] == "123456789012", default
    own = acls["acl-tight"]
    entries = {(e["Egress"], e["RuleNumber"]): e for e in own["Entries"]}
    assert entries[False, 90]["PortRange"] == {"From": 22, "To": 22} and entries[False, 90]["Protocol"] == "6", entries
    assert entries[False, 95]["IcmpTypeCode"] == {"Type": 8, "Code": -1}, entries
    assert [e["RuleNumber"] for e in own["Entries"] if not e["Egress"]] == [90, 95, 32767], own
    assert sorted(entries) == [(False, 90), (False, 95), (False, 32767), (True, 32767)], entries


def every_subnet_has_one_network_acl():
    seen = {}
    for a in ec2.describe_network_acls()["NetworkAcls"]:
        for s in a["Associations"]:
            assert s["SubnetId"] not in seen and s["NetworkAclId"] == a["NetworkAclId"], a
            seen[s["SubnetId"]] = a["NetworkAclId"]
    subnets = {s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]}
    assert set(seen) == subnets and set(seen.values()) == {"acl-tight", "acl-primary"}, seen
    found = ec2.describe_network_acls(**by("association.subnet-id", next(s for s, a in seen.items() if a == "acl-tight")))["NetworkAcls"]
    assert [a["NetworkAclId"] for a in found] == ["acl-tight"], found
    assert [a["NetworkAclId"] for a in ec2.describe_network_acls(**by("default", "false"))["NetworkAcls"]] == ["acl-tight"]
    refused("InvalidNetworkAclID.NotFound", 400, ec2.describe_network_acls, NetworkAclIds=["acl-none"])
    refused("DryRunOperation", 412, ec2.describe_network_acls, DryRun=True)
    assert client("AKIAFOREIGN", "foreign-secret").describe_network_acls()["NetworkAcls"] == []


def sts_knows_the_caller():
    me = client(service="sts").get_caller_identity()
    assert me["Account"] == "123456789012" and me["Arn"].endswith("user/ferry"), me
    assert me["UserId"].startswith("AIDA"), me
    role = client("ASIATEMP", "temp-secret", service="sts", token="token-1").get_caller_identity()
    assert role["Arn"] == "arn:aws:sts::123456789012:assumed-role/ferry/i-0engine", role
    assert role["UserId"].startswith("AROA") and role["UserId"].endswith(":i-0engine"), role
    refused("InvalidClientTokenId", 403, client("AKIANOBODY", service="sts").get_caller_identity)


def what_ec2_does_not_know_is_an_invalid_action():
    refused("InvalidAction", 400, ec2.describe_transit_gateways)


def main():
    facts = [f for name, f in list(globals().items()) if callable(f) and getattr(f, "__module__", "") == "__main__"
             and name not in ("client", "refused", "routes", "table_ids", "by", "main")]
    failed = 0
    for fact in facts:
        try:
            fact()
            print("ok   ", fact.__name__)
        except Exception as e:  # every fact is asked, whatever became of the others
            failed += 1
            print("FAIL ", fact.__name__, type(e).__name__, e)
    print(f"{len(facts) - failed} of {len(facts)} facts hold")
    sys.exit(1 if failed or len(facts) < 20 else 0)


main()

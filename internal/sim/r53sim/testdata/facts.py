"""Facts about Route 53's answers, asked through boto3. Usage: facts.py ENDPOINT

Each function is one fact; they run in the order they are written and leave the world as they found it.
"""
from common import ZONE, WWW, batch, client, refused, rr, run

r53 = client()


def change(*changes, zone=ZONE, who=r53, **more):
    return who.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch(*changes, **more))["ChangeInfo"]


def invalid(message, *changes, zone=ZONE):
    before = names(zone)
    refused("InvalidChangeBatch", 400, r53.change_resource_record_sets, message, HostedZoneId=zone, ChangeBatch=batch(*changes))
    assert names(zone) == before, "a refused batch changed something"


def bad_input(record, action="CREATE", message=None):
    refused("InvalidInput", 400, r53.change_resource_record_sets, message, HostedZoneId=ZONE, ChangeBatch=batch((action, record)))


def names(zone=ZONE):
    found = r53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone).build_full_result()
    return [(r["Name"], r["Type"], r.get("SetIdentifier"), sorted(v["Value"] for v in r.get("ResourceRecords", []))) for r in found["ResourceRecordSets"]]


def a_zone_reads_back_with_soa_and_ns():
    z = r53.get_hosted_zone(Id=ZONE)
    assert z["HostedZone"]["Id"] == "/hostedzone/ZFERRY" and z["HostedZone"]["Name"] == "example.jp.", z
    assert z["HostedZone"]["Config"] == {"Comment": "the seed's", "PrivateZone": False}, z
    assert z["HostedZone"]["ResourceRecordSetCount"] == 3, z
    assert len(z["DelegationSet"]["NameServers"]) == 4, z
    records = r53.list_resource_record_sets(HostedZoneId="/hostedzone/ZFERRY")["ResourceRecordSets"]
    assert [r["Type"] for r in records] == ["NS", "SOA", "A"], records
    assert records[1]["TTL"] == 900 and records[2]["TTL"] == 10, records


def a_private_zone_tells_its_vpcs():
    z = r53.get_hosted_zone(Id="ZPRIVATE")
    assert z["HostedZone"]["Config"]["PrivateZone"] is True, z
    assert z["VPCs"] == [{"VPCRegion": "ap-northeast-1", "VPCId": "vpc-primary"}], z


def names_read_back_lower_cased_escaped_and_dotted():
    info = change(("CREATE", rr("*.Case.EXAMPLE.jp", "A", "10.0.0.1")), ("CREATE", rr("a#b.example.jp", "A", "10.0.0.2")), comment="names")
    assert info["Id"].startswith("/change/C") and info["Comment"] == "names", info
    got = [n[0] for n in names()]
    assert "\\052.case.example.jp." in got and "a\\043b.example.jp." in got, got
    change(("DELETE", rr("\\052.case.example.jp.", "A", "10.0.0.1")), ("DELETE", rr("A\\043B.example.jp.", "A", "10.0.0.2")))
    assert len(names()) == 3


def records_are_sorted_by_reversed_labels_and_type():
    wanted = ["a-b.example.jp", "a.example.jp", "z.a.example.jp", "b.example.jp", "*.example.jp", "1.example.jp"]
    change(*[("CREATE", rr(n, "A", "10.0.0.1")) for n in wanted], ("CREATE", rr("a.example.jp", "TXT", '"x"')), ("CREATE", rr("a.example.jp", "AAAA", "::1")))
    got = [(n[0], n[1]) for n in names()]
    want = [("example.jp.", "NS"), ("example.jp.", "SOA"), ("1.example.jp.", "A"), ("\\052.example.jp.", "A"), ("a-b.example.jp.", "A"),
            ("a.example.jp.", "A"), ("a.example.jp.", "AAAA"), ("a.example.jp.", "TXT"), ("z.a.example.jp.", "A"), ("b.example.jp.", "A"), (WWW, "A")]
    assert got == want, got
    pages = list(r53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=ZONE, PaginationConfig={"PageSize": 3}))
    assert [len(p["ResourceRecordSets"]) for p in pages] == [3, 3, 3, 2], pages
    assert [(r["Name"], r["Type"]) for p in pages for r in p["ResourceRecordSets"]] == want
    assert [p["MaxItems"] for p in pages] == ["3"] * 4 and not pages[-1]["IsTruncated"]
    first = r53.list_resource_record_sets(HostedZoneId=ZONE, StartRecordName="A.example.jp", StartRecordType="AAAA", MaxItems="1")
    assert [(r["Name"], r["Type"]) for r in first["ResourceRecordSets"]] == [("a.example.jp.", "AAAA")], first
    assert (first["NextRecordName"], first["NextRecordType"]) == ("a.example.jp.", "TXT"), first
    between = r53.list_resource_record_sets(HostedZoneId=ZONE, StartRecordName="aa.example.jp", MaxItems="1")["ResourceRecordSets"]
    assert between[0]["Name"] == "b.example.jp.", "a name that is not there starts at the next one"
    assert r53.list_resource_record_sets(HostedZoneId=ZONE, StartRecordName="zzz.example.jp")["ResourceRecordSets"] == []
    refused("InvalidInput", 400, r53.list_resource_record_sets, HostedZoneId=ZONE, StartRecordType="A")
    refused("InvalidInput", 400, r53.list_resource_record_sets, HostedZoneId=ZONE, MaxItems="0")
    change(*[("DELETE", rr(n, "A", "10.0.0.1")) for n in wanted], ("DELETE", rr("a.example.jp", "TXT", '"x"')), ("DELETE", rr("a.example.jp", "AAAA", "::1")))


def compare_and_change_in_one_batch():
    change(("DELETE", rr(WWW, "A", "10.1.0.10")), ("CREATE", rr(WWW, "A", "10.2.0.10")))
    assert names()[-1][3] == ["10.2.0.10"]
    invalid(f"[Tried to delete resource record set [name='{WWW}', type='A'] but the values provided do not match the current values, "
            f"Tried to create resource record set [name='{WWW}', type='A'] but it already exists]",
            ("DELETE", rr(WWW, "A", "10.1.0.10")), ("CREATE", rr(WWW, "A", "10.9.0.10")))
    change(("UPSERT", rr("WWW.example.jp", "A", "10.1.0.10")))
    assert names()[-1][3] == ["10.1.0.10"]


def a_delete_must_name_the_exact_record():
    for wrong in [rr(WWW, "A", "10.1.0.11"), rr(WWW, "A", "10.1.0.10", ttl=11), rr(WWW, "A", "10.1.0.10", "10.1.0.11")]:
        invalid(f"[Tried to delete resource record set [name='{WWW}', type='A'] but the values provided do not match the current values]", ("DELETE", wrong))
    invalid("[Tried to delete resource record set [name='none.example.jp.', type='A'] but it was not found]", ("DELETE", rr("none.example.jp", "A", "10.0.0.1")))
    invalid(f"[Tried to create resource record set [name='{WWW}', type='A'] but it already exists]", ("CREATE", rr(WWW, "A", "10.1.0.10")))


def batches_are_atomic():
    invalid("[RRSet with DNS name www.example.com. is not permitted in zone example.jp.]",
            ("CREATE", rr("good.example.jp", "A", "10.0.0.1")), ("UPSERT", rr("www.example.com", "A", "10.0.0.1")))
    invalid("[The request contains an invalid set of changes for a resource record set 'A good.example.jp.']",
            ("CREATE", rr("good.example.jp", "A", "10.0.0.1")), ("CREATE", rr("GOOD.example.jp.", "A", "10.0.0.2")))
    invalid("[The request contains an invalid set of changes for a resource record set 'A good.example.jp.']",
            ("CREATE", rr("good.example.jp", "A", "10.0.0.1")), ("DELETE", rr("good.example.jp.", "A", "10.0.0.1")))


def bad_values_are_refused_in_awss_words():
    bad = lambda kind, what, value: f"[Invalid Resource Record: 'FATAL problem: {kind} ({what}) encountered with '{value}'']"
    for value in ["10.1.0", "10.1.0.256", "010.1.0.1", "::1", "www"]:
        invalid(bad("ARRDATAIllegalIPv4Address", "Value is not a valid IPv4 address", value), ("UPSERT", rr(WWW, "A", value)))
    invalid(bad("AAAARRDATAIllegalIPv6Address", "Value is not a valid IPv6 address", "10.0.0.1"), ("CREATE", rr("six.example.jp", "AAAA", "10.0.0.1")))
    invalid(bad("InvalidCharacterString", "Value should be enclosed in quotation marks", "text"), ("CREATE", rr("t.example.jp", "TXT", "text")))
    invalid("[Duplicate Resource Record: '10.1.0.10']", ("UPSERT", rr(WWW, "A", "10.1.0.10", "10.1.0.10")))
    invalid("[FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with 'a..example.jp']", ("CREATE", rr("a..example.jp", "A", "10.0.0.1")))
    long = "x" * 64
    invalid(f"[FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '{long}']", ("CREATE", rr(long + ".example.jp", "A", "10.0.0.1")))


def names_conflict():
    invalid("[RRSet of type CNAME with DNS name example.jp. is not permitted at apex in zone example.jp.]", ("CREATE", rr("example.jp", "CNAME", "a.test")))
    invalid("[RRSet of type CNAME with DNS name www.example.jp. is not permitted as it conflicts with other records with the same DNS name in zone example.jp.]",
            ("CREATE", rr(WWW, "CNAME", "a.test")))
    change(("CREATE", rr("alias.example.jp", "CNAME", "a.test")))
    invalid("[RRSet of type A with DNS name alias.example.jp. is not permitted because a conflicting RRSet of type  CNAME with the same DNS name already exists in zone example.jp.]",
            ("CREATE", rr("alias.example.jp", "A", "10.0.0.1")))
    change(("DELETE", rr("alias.example.jp", "CNAME", "a.test")), ("CREATE", rr("alias.example.jp", "A", "10.0.0.1")))
    change(("DELETE", rr("alias.example.jp", "A", "10.0.0.1")))


def soa_and_ns_of_the_zone_stay():
    own = r53.list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"][:2]
    invalid("[A HostedZone must contain at least one NS record for the zone itself.]", ("DELETE", own[0]))
    invalid("[A HostedZone must contain exactly one SOA record.]", ("DELETE", own[1]))


def a_record_needs_a_ttl_and_one_kind_of_value():
    none = "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Action=%s, Name=www.example.jp., Type=A, SetIdentifier=null]"
    bad_input({"Name": WWW, "Type": "A", "ResourceRecords": [{"Value": "10.1.0.10"}]}, "UPSERT", none % "UPSERT")
    bad_input({"Name": WWW, "Type": "A", "TTL": 10}, "CREATE", none % "CREATE")
    bad_input({"Name": WWW, "Type": "A"}, "DELETE", none % "DELETE")
    bad_input(rr(WWW, "A", "10.0.0.1", AliasTarget={"HostedZoneId": "Z1", "DNSName": "x.test", "EvaluateTargetHealth": False}))
    bad_input(rr(WWW, "A", "10.0.0.1", Weight=1), "UPSERT", "Invalid request: Missing field 'SetIdentifier' in Change with [Action=UPSERT, Name=www.example.jp., Type=A, SetIdentifier=null]")
    bad_input(rr(WWW, "A", "10.0.0.1", SetIdentifier="one"))
    bad_input(rr(WWW, "A", "10.0.0.1", ttl=2**31))
    bad_input(rr(WWW, "PIGEON", "10.0.0.1"))
    bad_input(rr(WWW, "A", "10.0.0.1"), "REPLACE")


def weighted_sets_live_side_by_side():
    change(*[("CREATE", rr("w.example.jp", "A", ip, SetIdentifier=name, Weight=w)) for name, ip, w in [("one", "10.0.0.1", 1), ("two", "10.0.0.2", 0)]])
    found = [r for r in r53.list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"] if r["Name"] == "w.example.jp."]
    assert [(r["SetIdentifier"], r["Weight"]) for r in found] == [("one", 1), ("two", 0)], found
    refused("InvalidChangeBatch", 400, r53.change_resource_record_sets, HostedZoneId=ZONE, ChangeBatch=batch(("CREATE", rr("w.example.jp", "A", "10.0.0.3"))))
    invalid("[Tried to delete resource record set [name='w.example.jp.', type='A', set-identifier='three'] but it was not found]",
            ("DELETE", rr("w.example.jp", "A", "10.0.0.1", SetIdentifier="three", Weight=1)))
    change(*[("DELETE", r) for r in found])


def a_health_check_must_be_known():
    refused("NoSuchHealthCheck", 404, r53.change_resource_record_sets, HostedZoneId=ZONE, ChangeBatch=batch(("UPSERT", rr(WWW, "A", "10.1.0.10", HealthCheckId="nobody"))))


def an_upsert_of_the_same_is_a_change_of_its_own():
    one, two = change(("UPSERT", rr(WWW, "A", "10.1.0.10"))), change(("UPSERT", rr(WWW, "A", "10.1.0.10")))
    assert one["Id"] != two["Id"], "change ids are unique"
    assert r53.get_change(Id=one["Id"])["ChangeInfo"]["Status"] == "INSYNC"


def too_large_a_batch_is_refused():
    many = [("UPSERT", rr(f"n{i}.example.jp", "A", "10.0.0.1")) for i in range(501)]
    invalid("[Number of records limit of 1000 exceeded.]", *many)


def unknown_zones_and_changes_are_not_found():
    refused("NoSuchHostedZone", 404, r53.get_hosted_zone, "No hosted zone found with ID: ZNONE", Id="ZNONE")
    refused("NoSuchHostedZone", 404, r53.list_resource_record_sets, HostedZoneId="ZNONE")
    refused("NoSuchHostedZone", 404, r53.change_resource_record_sets, HostedZoneId="ZNONE", ChangeBatch=batch(("UPSERT", rr(WWW, "A", "10.0.0.1"))))
    refused("NoSuchHostedZone", 404, r53.delete_hosted_zone, Id="ZNONE")
    refused("NoSuchChange", 404, r53.get_change, "Could not find resource with ID: C123", Id="C123")


def zones_are_listed_and_paged():
    zones = r53.list_hosted_zones()["HostedZones"]
    assert [z["Id"] for z in zones] == ["/hostedzone/" + i for i in ("ZFERRY", "ZPRIVATE", "Z3M3LMPEXAMPLE", "ZLAST", "ZSERVICE")], zones
    pages = list(r53.get_paginator("list_hosted_zones").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(p["HostedZones"]) for p in pages] == [3, 2], pages
    refused("InvalidInput", 400, r53.list_hosted_zones, Marker="ZNONE")


def zones_are_listed_from_a_name_on():
    def listed(**args):
        return [z["Id"][12:] for z in r53.list_hosted_zones_by_name(**args)["HostedZones"]]
    assert listed() == ["Z3M3LMPEXAMPLE", "ZFERRY", "ZPRIVATE", "ZLAST", "ZSERVICE"], listed()
    assert listed(DNSName="example.jp") == ["ZFERRY", "ZPRIVATE", "ZLAST", "ZSERVICE"], "from the name, not only the name"
    assert listed(DNSName="example.jp", HostedZoneId="ZPRIVATE") == ["ZPRIVATE", "ZLAST", "ZSERVICE"]
    assert listed(DNSName="nobody.test") == ["ZLAST", "ZSERVICE"], "a zone that is not asked for comes back for a name that is not there"
    page = r53.list_hosted_zones_by_name(DNSName="example.jp", MaxItems="1")
    assert page["IsTruncated"] and (page["NextDNSName"], page["NextHostedZoneId"]) == ("example.jp.", "ZPRIVATE"), page
    refused("InvalidInput", 400, r53.list_hosted_zones_by_name, HostedZoneId="ZFERRY")


def zones_come_and_go():
    made = r53.create_hosted_zone(Name="New.Example", CallerReference="once", HostedZoneConfig={"Comment": "new"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201 and made["Location"].endswith(made["HostedZone"]["Id"]), made
    zone = made["HostedZone"]["Id"]
    assert zone.startswith("/hostedzone/Z") and made["HostedZone"]["Name"] == "new.example.", made
    refused("HostedZoneAlreadyExists", 409, r53.create_hosted_zone, Name="other.example", CallerReference="once")
    refused("InvalidDomainName", 400, r53.create_hosted_zone, Name="a..b", CallerReference="twice")
    change(("CREATE", rr("x.new.example", "A", "10.0.0.1")), zone=zone)
    refused("HostedZoneNotEmpty", 400, r53.delete_hosted_zone, Id=zone)
    change(("DELETE", rr("x.new.example", "A", "10.0.0.1")), zone=zone)
    assert r53.delete_hosted_zone(Id=zone)["ChangeInfo"]["Id"].startswith("/change/C")
    refused("NoSuchHostedZone", 404, r53.get_hosted_zone, Id=zone)
    vpc = {"VPCRegion": "ap-northeast-1", "VPCId": "vpc-primary"}
    refused("ConflictingDomainExists", 400, r53.create_hosted_zone, Name="example.jp", CallerReference="private", VPC=vpc)
    made = r53.create_hosted_zone(Name="inner.example", CallerReference="private", VPC=vpc)
    assert made["VPC"] == vpc and made["HostedZone"]["Config"]["PrivateZone"], made
    r53.delete_hosted_zone(Id=made["HostedZone"]["Id"])


def a_zone_of_another_service_is_only_read():
    z = r53.get_hosted_zone(Id="ZSERVICE")["HostedZone"]
    assert z["LinkedService"]["ServicePrincipal"] == "servicediscovery.amazonaws.com", z
    why = "The resource hostedzone/ZSERVICE can only be managed through servicediscovery.amazonaws.com"
    refused("AccessDenied", 403, r53.change_resource_record_sets, why, HostedZoneId="ZSERVICE", ChangeBatch=batch(("CREATE", rr("a.zzzz.test", "A", "10.0.0.1"))))
    refused("AccessDenied", 403, r53.delete_hosted_zone, why, Id="ZSERVICE")


def answers_can_be_tested():
    got = r53.test_dns_answer(HostedZoneId=ZONE, RecordName="WWW.example.jp", RecordType="A")
    assert (got["RecordData"], got["ResponseCode"], got["Protocol"], got["RecordName"]) == (["10.1.0.10"], "NOERROR", "UDP", WWW), got
    assert got["Nameserver"] in r53.get_hosted_zone(Id=ZONE)["DelegationSet"]["NameServers"], got
    assert r53.test_dns_answer(HostedZoneId=ZONE, RecordName="none.example.jp", RecordType="A")["ResponseCode"] == "NXDOMAIN"
    assert r53.test_dns_answer(HostedZoneId=ZONE, RecordName=WWW, RecordType="AAAA")["RecordData"] == []


def tags_read_back():
    tags = r53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=ZONE)["ResourceTagSet"]
    assert tags["Tags"] == [{"Key": "Name", "Value": "ferry"}] and tags["ResourceId"] == ZONE, tags
    refused("NoSuchHostedZone", 404, r53.list_tags_for_resource, ResourceType="hostedzone", ResourceId="ZNONE")


def keys_are_checked():
    refused("InvalidClientTokenId", 403, client("AKIANOBODY").list_hosted_zones)
    refused("SignatureDoesNotMatch", 403, client(secret="wrong").list_hosted_zones)
    refused("InvalidClientTokenId", 403, client("ASIATEMP", "temp-secret").list_hosted_zones)
    assert client("ASIATEMP", "temp-secret", token="token-1").list_hosted_zones()["HostedZones"]
    refused("ExpiredToken", 403, client("ASIAOLD", "old-secret", token="token-2").list_hosted_zones)
    refused("SignatureDoesNotMatch", 403, client(region="ap-northeast-1").list_hosted_zones)
    reader = client("AKIAREADER", "reader-secret")
    assert reader.list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"]
    refused("AccessDenied", 403, reader.change_resource_record_sets, HostedZoneId=ZONE, ChangeBatch=batch(("UPSERT", rr(WWW, "A", "10.9.0.1"))))


def another_account_has_other_zones():
    foreign = client("AKIAFOREIGN", "foreign-secret")
    assert [z["Id"] for z in foreign.list_hosted_zones()["HostedZones"]] == ["/hostedzone/ZFOREIGN"]
    refused("AccessDenied", 403, foreign.get_hosted_zone, "User: arn:aws:iam::999999999999:user/ferry is not authorized to access this resource", Id=ZONE)
    info = change(("UPSERT", rr(WWW, "A", "10.1.0.10")))
    refused("NoSuchChange", 404, foreign.get_change, Id=info["Id"])


def what_is_not_simulated_is_an_unknown_operation():
    refused("UnknownOperationException", 404, r53.list_health_checks)


def main():
    run([f for n, f in globals().items() if callable(f) and getattr(f, "__module__", "") == "__main__"
         and n not in ("main", "change", "invalid", "bad_input", "names")], 25)


main()

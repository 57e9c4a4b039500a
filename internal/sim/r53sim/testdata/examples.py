"""Replays the requests of botocore's official examples and holds the answers against the official model and against
the examples' own answers (all but ids, times and counts must agree). Usage: examples.py ENDPOINT
"""
import datetime
import gzip
import json
import os

import botocore

from common import client, refused

DATA = os.path.join(os.path.dirname(botocore.__file__), "data", "route53", "2013-04-01")


def load(name):
    path = os.path.join(DATA, name)
    opened = gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb")
    with opened as f:
        return json.load(f)


MODEL = load("service-2.json")
EXAMPLES = load("examples-1.json")["examples"]
r53 = client()
problems = []


def check(shape_name, value, where):
    """Every part of value must be as the model says: known members, required ones present, right types and enums."""
    shape = MODEL["shapes"][shape_name]
    kind = shape["type"]
    if kind == "structure":
        if not isinstance(value, dict):
            problems.append(f"{where}: {value!r} is no structure")
            return
        for name in set(value) - set(shape["members"]) - {"ResponseMetadata"}:
            problems.append(f"{where}.{name} is not in the model")
        for name in shape.get("required", []):
            if name not in value and (shape_name, name) not in ABSENT:
                problems.append(f"{where}.{name} is required and missing")
        for name, member in shape["members"].items():
            if name in value:
                check(member["shape"], value[name], f"{where}.{name}")
    elif kind == "list":
        for i, item in enumerate(value):
            check(shape["member"]["shape"], item, f"{where}[{i}]")
        if len(value) < shape.get("min", 0) and shape_name != "TagList":  # AWS sends an empty one for a zone without tags
            problems.append(f"{where} has {len(value)} items")
    else:
        want = {"string": str, "boolean": bool, "integer": int, "long": int, "timestamp": datetime.datetime}[kind]
        if not isinstance(value, want):
            problems.append(f"{where}: {value!r} is no {kind}")
        elif "enum" in shape and value not in shape["enum"]:
            problems.append(f"{where}: {value!r} is not one of {shape['enum']}")
        elif kind == "string" and not shape.get("min", 0) <= len(value) <= shape.get("max", 10**6):
            problems.append(f"{where}: {value!r} is {len(value)} long")


# The model calls these required, and AWS leaves them out: the first page of a list has no marker.
ABSENT = {("ListHostedZonesResponse", "Marker")}

# What may differ from an example's answer: it was given at another time and to another account.
FREE = {"Id", "SubmittedAt", "NameServers", "CallerReference", "ResourceRecordSetCount"}


def same(got, want, where):
    for name, value in want.items():
        if name not in got:
            problems.append(f"{where}.{name} of the example is missing")
        elif name in FREE:
            if isinstance(value, list) and len(got[name]) != len(value):
                problems.append(f"{where}.{name} has {len(got[name])} items")
        elif isinstance(value, dict):
            same(got[name], value, f"{where}.{name}")
        elif got[name] != value:
            problems.append(f"{where}.{name}: {got[name]!r}, the example has {value!r}")


def output_of(operation):
    return MODEL["operations"][operation]["output"]["shape"]


def ask(operation, **args):
    snake = "".join("_" + c.lower() if c.isupper() else c for c in operation.replace("DNS", "Dns")).lstrip("_")
    answer = getattr(r53, snake)(**args)
    check(output_of(operation), answer, operation)
    return answer


def clear(zone):
    """Empties a zone of all but its own records: each example starts from nothing."""
    records = r53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone).build_full_result()["ResourceRecordSets"]
    extra = [r for r in records if r["Type"] not in ("SOA", "NS")]
    if extra:
        r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": r} for r in extra]})
    return records


def replay_changes():
    count = 0
    for example in EXAMPLES["ChangeResourceRecordSets"]:
        zone, changes = example["input"]["HostedZoneId"], example["input"]["ChangeBatch"]["Changes"]
        clear(zone)
        answer = ask("ChangeResourceRecordSets", **example["input"])
        same(answer, example["output"], example["id"])
        listed = ask("ListResourceRecordSets", HostedZoneId=zone)["ResourceRecordSets"]
        for change in changes:
            found = [r for r in listed if alike(r, change["ResourceRecordSet"])]
            if len(found) != 1:
                problems.append(f"{example['id']}: {change['ResourceRecordSet']} reads back as {listed}")
        ask("GetChange", Id=answer["ChangeInfo"]["Id"])
        count += 1
    return count


def alike(got, asked):
    """Whether a record set that is listed is the one that was asked for."""
    want = json.loads(json.dumps(asked))
    want["Name"] = want["Name"].lower().rstrip(".").replace("*", "\\052") + "."
    if "AliasTarget" in want:
        want["AliasTarget"]["DNSName"] = want["AliasTarget"]["DNSName"].strip().lower().rstrip(".") + "."
    return got == want


def replay_zone():
    example = EXAMPLES["GetHostedZone"][0]
    answer = ask("GetHostedZone", **example["input"])
    same({"HostedZone": {k: v for k, v in answer["HostedZone"].items() if k not in ("Name", "Config")}, "DelegationSet": answer["DelegationSet"]},
         {"HostedZone": {k: v for k, v in example["output"]["HostedZone"].items() if k not in ("Name", "Config")}, "DelegationSet": example["output"]["DelegationSet"]},
         example["id"])


def others_follow_the_model():
    zone = ask("CreateHostedZone", Name="shape.example", CallerReference="shape", HostedZoneConfig={"Comment": "c"})["HostedZone"]["Id"]
    private = ask("CreateHostedZone", Name="shape.example", CallerReference="shape-2", VPC={"VPCRegion": "eu-west-1", "VPCId": "vpc-1"})["HostedZone"]["Id"]
    for z in (zone, private):
        ask("GetHostedZone", Id=z)
        ask("ListTagsForResource", ResourceType="hostedzone", ResourceId=z.split("/")[-1])
        ask("DeleteHostedZone", Id=z)
    ask("ListHostedZones", MaxItems="2")
    ask("ListHostedZonesByName", DNSName="example.jp", MaxItems="1")
    ask("TestDNSAnswer", HostedZoneId="ZFERRY", RecordName="www.example.jp", RecordType="A")


def errors_have_the_models_status():
    """Every modelled error that was asked for elsewhere has a status in the model; ours must be the same."""
    cases = [("NoSuchHostedZone", lambda **_: r53.get_hosted_zone(Id="ZNONE")), ("NoSuchChange", lambda **_: r53.get_change(Id="CNONE"))]
    for code, call in cases:
        refused(code, MODEL["shapes"][code]["error"]["httpStatusCode"], call)


replayed = replay_changes()
replay_zone()
others_follow_the_model()
errors_have_the_models_status()
assert replayed >= 10, f"only {replayed} examples replayed"
assert not problems, "\n".join(problems)
print(f"{replayed} examples of changes and one of a zone replayed; every answer follows the model")

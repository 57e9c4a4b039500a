package doctor

import (
	"regexp"
	"strings"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// nameRules look at Route 53.
func nameRules() []rule {
	return []rule{
		{Check: Check{ID: "aws.zone", Subject: OfCloud, About: "the hosted zone exists, once, and is the account's own to change",
			Why: "without it clients do not follow a crossing", Mend: "create the zone, or correct the field zone"}, judge: judgeZone},
		{Check: Check{ID: "aws.record", Subject: OfCloud, About: "the service's name is a plain A record, or free",
			Why: "ferry changes only what it can compare: no alias, no weights, no CNAME", Mend: "delete the record; the next start creates it"}, judge: judgeRecord},
		{Check: Check{ID: "aws.zone-permissions", Subject: OfCloud, About: "the engine may read and change records of the zone",
			Why: "the name would stay behind at a crossing", Mend: "attach the policy that ferry doctor iam-policy prints"}, judge: judgeZonePermissions},
	}
}

func judgeZone(b *bench) {
	for _, r := range resources(b.x, "route53") {
		z := b.Zones[r.Tag]
		if z == nil || z.Err != nil && cloud.KindOf(z.Err) == cloud.Unauthorized {
			continue // not asked; or aws.zone-permissions says so
		}
		f := b.at(string(r.Tag))
		switch {
		case z.Err != nil:
			f.unknown(textf("Route 53 could not be asked: %v", z.Err)).mend(hintOf(z.Err, "check the engine's way to the AWS API"))
		case len(z.Zones) == 0:
			f.fail(textf("the account has no hosted zone %s", r.Attrs["zone"]), "zone", r.Attrs["zone"]).mend("create the hosted zone, or correct the field zone of " + string(r.Tag))
		case len(z.Zones) > 1:
			f.fail(textf("the account has %d hosted zones %s", len(z.Zones), r.Attrs["zone"])).mend(textf("name one by its id: zone = %q", cloud.ShowDNSName(z.Zones[0].Name)+" ("+z.Zones[0].ID+")"))
		case z.Zones[0].Foreign:
			f.fail(textf("the hosted zone %s belongs to another AWS service and cannot be changed", r.Attrs["zone"])).mend("create a zone of your own")
		}
	}
}

func judgeRecord(b *bench) {
	for _, r := range resources(b.x, "route53") {
		z := b.Zones[r.Tag]
		if z == nil || z.Err != nil || len(z.Zones) != 1 || z.RecordErr != nil && cloud.KindOf(z.RecordErr) == cloud.Unauthorized {
			continue // what is above says so
		}
		f := b.at(string(r.Tag))
		name := cloud.ShowDNSName(z.Name)
		switch {
		case z.RecordErr != nil:
			f.unknown(textf("the record of %s could not be read: %v", name, z.RecordErr))
		case z.Other != nil:
			f.fail(textf("%s is a %s to %s, not an A record", name, z.Other.Type, strings.Join(z.Other.Values, ", "))).mend(textf("delete it; the next start of %s creates the A record", r.Tag))
		case z.Record != nil && z.Record.Special != "":
			f.fail(textf("%s is no plain record: %s", name, z.Record.Special)).mend(textf("delete it; the next start of %s creates the A record", r.Tag))
		}
	}
}

func judgeZonePermissions(b *bench) {
	for _, r := range resources(b.x, "route53") {
		z := b.Zones[r.Tag]
		if z == nil {
			continue
		}
		f := b.at(string(r.Tag))
		for _, call := range []struct {
			action string
			err    error
		}{{"ListHostedZones", z.Err}, {"ListResourceRecordSets", z.RecordErr}, {"ChangeResourceRecordSets", z.ChangeErr}} {
			switch {
			case call.err == nil:
			case cloud.KindOf(call.err) == cloud.Unauthorized:
				f.fail(textf("the engine may not do route53:%s for %s: %v", call.action, r.Tag, call.err), "actions", "route53:"+call.action).mend("attach the policy that ferry doctor iam-policy prints to the role or user of the engine")
			case call.action == "ChangeResourceRecordSets" && !cloud.KindOf(call.err).Answered() && f.Verdict == Pass:
				f.unknown(textf("whether records may be changed was not answered: %v", call.err))
			}
		}
	}
}

// zoneForm is how the field zone is written: "example.com", "example.com (Z0123)" or "example.com (Z0123, private)".
var zoneForm = regexp.MustCompile(`^([^\s()]+)(?: \((Z[A-Za-z0-9]+)(?:, private)?\))?$`)

// zoneField reads it; the id may be empty.
func zoneField(text string) (domain, id string) {
	m := zoneForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return text, ""
	}
	return m[1], m[2]
}

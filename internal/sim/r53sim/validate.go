package r53sim

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// problems says, in AWS's words, what is wrong with a record set by itself. Its name must be canonical already.
func (s *Server) problems(zone string, r Record) []string {
	if _, err := Canonical(r.Name); err != nil {
		return []string{err.Error()}
	}
	if !inZone(r.Name, zone) {
		return []string{fmt.Sprintf("RRSet with DNS name %s is not permitted in zone %s", r.Name, zone)}
	}
	var out []string
	for i, v := range r.Values {
		if slices.Contains(r.Values[:i], v) {
			out = append(out, fmt.Sprintf("Duplicate Resource Record: '%s'", v))
		} else if err := checkValue(r.Type, v); err != nil {
			out = append(out, fmt.Sprintf("Invalid Resource Record: '%v'", err))
		}
	}
	if one := r.Type == "CNAME" || r.Type == "SOA"; one && len(r.Values) > 1 {
		out = append(out, fmt.Sprintf("RRSet of type %s with DNS name %s must have exactly one value", r.Type, r.Name))
	}
	return out
}

// checkValue says what is wrong with one value of that type.
func checkValue(kind, v string) error {
	switch kind {
	case "A":
		if a, err := netip.ParseAddr(v); err != nil || !a.Is4() {
			return fatal("ARRDATAIllegalIPv4Address", "Value is not a valid IPv4 address", v)
		}
	case "AAAA":
		if a, err := netip.ParseAddr(v); err != nil || !a.Is6() || a.Zone() != "" {
			return fatal("AAAARRDATAIllegalIPv6Address", "Value is not a valid IPv6 address", v)
		}
	case "CNAME", "NS", "PTR":
		return checkName(v)
	case "MX":
		return checkNumbers(v, 1)
	case "SRV":
		return checkNumbers(v, 3)
	case "TXT", "SPF":
		if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
			return fatal("InvalidCharacterString", "Value should be enclosed in quotation marks", v)
		}
	case "SOA":
		if len(strings.Fields(v)) != 7 {
			return fatal("SOARRDATAInvalid", "SOA record should have 7 fields", v)
		}
	}
	return nil
}

func checkName(v string) error {
	if v == "" {
		return fatal("DomainLabelEmpty", "Domain label is empty", v)
	}
	_, err := Canonical(v)
	return err
}

// checkNumbers wants n numbers of 16 bits and a name.
func checkNumbers(v string, n int) error {
	fields := strings.Fields(v)
	if len(fields) != n+1 {
		return fatal("RRDATAFieldCount", "Value does not have the right number of fields", v)
	}
	for _, f := range fields[:n] {
		if _, err := strconv.ParseUint(f, 10, 16); err != nil {
			return fatal("RRDATANotANumber", "Value is not a number between 0 and 65535", f)
		}
	}
	return checkName(fields[n])
}

// conflicts says what is wrong with the last record set beside the others.
func conflicts(zone string, records []Record) []string {
	r, others := records[len(records)-1], records[:len(records)-1]
	if r.Type == "CNAME" && r.Name == zone {
		return []string{fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", r.Name, zone)}
	}
	if r.Type == "SOA" && r.Name != zone {
		return []string{fmt.Sprintf("RRSet of type SOA with DNS name %s is not permitted in zone %s", r.Name, zone)}
	}
	for _, o := range others {
		switch {
		case o.Name != r.Name || o.key() == r.key():
		case r.Type == "CNAME" && o.Type != "CNAME":
			return []string{fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s", r.Name, zone)}
		case o.Type == "CNAME" && r.Type != "CNAME":
			return []string{fmt.Sprintf("RRSet of type %s with DNS name %s is not permitted because a conflicting RRSet of type  CNAME with the same DNS name already exists in zone %s", r.Type, r.Name, zone)}
		case o.Type == r.Type && (o.SetID == "") != (r.SetID == ""):
			return []string{fmt.Sprintf("RRSet with DNS name %s, type %s, SetIdentifier %s cannot be created because a simple and a non-simple set with the same name and type exist", r.Name, r.Type, r.SetID)}
		}
	}
	return nil
}

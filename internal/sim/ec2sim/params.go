package ec2sim

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// params are the parameters of one Query call.
type params url.Values

func (p params) get(name string) string { return url.Values(p).Get(name) }
func (p params) has(name string) bool   { return url.Values(p).Has(name) }
func (p params) on(name string) bool    { return strings.EqualFold(p.get(name), "true") }

// flat is the parameters as a plain map, for the call log.
func (p params) flat() map[string]string {
	out := make(map[string]string, len(p))
	for name, values := range p {
		out[name] = strings.Join(values, ",")
	}
	return out
}

// withoutIDs drops the lists of things asked for by name (InstanceId.1, PublicIp.2), but not the filters.
func (p params) withoutIDs() params {
	out := params{}
	for name, values := range p {
		if !strings.Contains(name, ".") || strings.HasPrefix(name, "Filter.") {
			out[name] = values
		}
	}
	return out
}

// list reads Name.1, Name.2, …
func (p params) list(name string) []string {
	var out []string
	for n := 1; ; n++ {
		key := name + "." + strconv.Itoa(n)
		if !p.has(key) {
			return out
		}
		out = append(out, p.get(key))
	}
}

// need is the value of a parameter that the action cannot do without.
func (p params) need(name string) (string, *apiError) {
	if v := p.get(name); v != "" {
		return v, nil
	}
	return "", missing(lowerFirst(name))
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// filter is one Filter.n: any of the values may match, with * and ? as wildcards.
type filter struct {
	name   string
	values []string
}

func (p params) filters() []filter {
	var out []filter
	for n := 1; ; n++ {
		prefix := "Filter." + strconv.Itoa(n) + "."
		if !p.has(prefix + "Name") {
			return out
		}
		out = append(out, filter{p.get(prefix + "Name"), p.list(prefix + "Value")})
	}
}

// matches says whether one of the item's values fits one of the filter's.
func (f filter) matches(have []string) bool {
	return slices.ContainsFunc(f.values, func(want string) bool {
		return slices.ContainsFunc(have, func(v string) bool {
			// A slash is an ordinary character in an EC2 filter, so it must not stop path.Match's star.
			ok, err := path.Match(strings.ReplaceAll(want, "/", "\x00"), strings.ReplaceAll(v, "/", "\x00"))
			return v == want || ok && err == nil
		})
	})
}

// attributes gives an item's values for each filter name that its action knows.
type attributes map[string][]string

// choose keeps the items that every filter fits. A filter name that the action does not know is an error.
func choose[T any](items []T, filters []filter, attrs func(T) attributes) ([]T, *apiError) {
	var out []T
	for _, item := range items {
		have := attrs(item)
		fits := true
		for _, f := range filters {
			values, known := have[f.name]
			if !known && !strings.HasPrefix(f.name, "tag:") {
				return nil, refuse("InvalidParameterValue", "The filter '%s' is invalid", f.name)
			}
			fits = fits && f.matches(values)
		}
		if fits {
			out = append(out, item)
		}
	}
	return out, nil
}

// nameTag adds the filters every tagged resource has: ours carry a Name tag and no other.
func (a attributes) nameTag(name string) attributes {
	if name == "" {
		a["tag-key"] = nil
		return a
	}
	a["tag:Name"], a["tag-key"] = []string{name}, []string{"Name"}
	return a
}

// page cuts a list as MaxResults and NextToken ask, and gives the token of the next page ("" = this was the last).
// most is the largest MaxResults of the action; size is the endpoint's own page size when the caller names none
// (0 = no limit).
func page[T any](p params, items []T, most, size int) ([]T, string, *apiError) {
	from := 0
	if p.has("MaxResults") {
		n, err := strconv.Atoi(p.get("MaxResults"))
		if err != nil || n < 5 || n > most {
			return nil, "", invalidValue("maxResults", p.get("MaxResults"), fmt.Sprintf("Expecting a value between 5 and %d.", most))
		}
		size = n
	}
	if token := p.get("NextToken"); token != "" {
		raw, err := base64.StdEncoding.DecodeString(token)
		offset, ok := strings.CutPrefix(string(raw), "page:")
		if n, errNum := strconv.Atoi(offset); err == nil && ok && errNum == nil && n >= 0 {
			from = min(n, len(items))
		} else {
			return nil, "", refuse("InvalidNextToken", "The specified nextToken is not valid")
		}
	}
	if size <= 0 || from+size >= len(items) {
		return items[from:], "", nil
	}
	next := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "page:%d", from+size))
	return items[from : from+size], next, nil
}

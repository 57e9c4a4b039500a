package openswan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// traffic is what "ipsec trafficstatus" lists of a connection: the established child SAs.
type traffic struct {
	// names are the parts that are listed, each with its SAs' numbers.
	names map[string][]int
	since time.Time // when the oldest was added; zero = not known
	in    int64
	out   int64
}

// parseTraffic reads lines like
//
//	006 #3: "vpn1/1x1", type=ESP, add_time=1795374644, inBytes=84, outBytes=252, …
//
// add_time is 0 until the first packet has passed. A line of another form is an error.
func parseTraffic(lines []string, conn string) (traffic, error) {
	t := traffic{names: map[string][]int{}}
	for _, l := range lines {
		if strings.TrimSpace(l) == "" || strings.HasPrefix(l, "000 ") {
			continue
		}
		rest, ok := strings.CutPrefix(l, "006 #")
		num, rest, colon := strings.Cut(rest, ": ")
		n, err := strconv.Atoi(num)
		if !ok || !colon || err != nil || n <= 0 {
			return t, fmt.Errorf("cannot read %.80q", l)
		}
		name, rest, ours := belongs(rest, conn)
		if !ours {
			continue
		}
		if err := t.add(n, name, rest); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (t *traffic) add(sa int, name, rest string) error {
	vals := map[string]int64{"add_time": -1, "inBytes": -1, "outBytes": -1}
	for _, f := range strings.Split(rest, ",") {
		key, val, _ := strings.Cut(strings.TrimSpace(f), "=")
		if _, wanted := vals[key]; !wanted {
			continue
		}
		n, err := strconv.ParseInt(val, 10, 64)
		if err != nil || n < 0 || n > mostBytes {
			return fmt.Errorf("cannot read %s of %s", key, name)
		}
		vals[key] = n
	}
	if vals["inBytes"] < 0 || vals["outBytes"] < 0 {
		return fmt.Errorf("the bytes of %s are missing", name)
	}
	t.names[name] = append(t.names[name], sa)
	t.in, t.out = t.in+vals["inBytes"], t.out+vals["outBytes"]
	if at := vals["add_time"]; at > 0 && (t.since.IsZero() || time.Unix(at, 0).Before(t.since)) {
		t.since = time.Unix(at, 0)
	}
	return nil
}

package route53

import (
	"context"
	"fmt"
	"slices"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// Resolver asks a zone's own name servers for the IPv4 addresses of a name, each server by itself, within the context's
// deadline. zone.Servers may be empty; then it has to find them. An error means that nobody could be asked at all.
type Resolver func(ctx context.Context, zone cloud.Zone, name string) ([]Answer, error)

// Answer is what one name server says.
type Answer struct {
	Server string
	// Addrs are the addresses, empty when the server says that there are none.
	Addrs []string
	// Err: the server did not answer, or not as one that has authority. That says nothing about the record.
	Err error
}

// seen is what the name servers say about a wish.
type seen struct {
	right, wrong, silent int
	// other is a wrong value, for people.
	other string
}

// everywhere: all that answered have the new value, and at least half of those asked did answer.
func (s seen) everywhere() bool { return s.wrong == 0 && s.right > 0 && s.right >= s.silent }

// String tells it to people.
func (s seen) String() string {
	out := fmt.Sprintf("%d of %d name servers answer it", s.right, s.right+s.wrong+s.silent)
	if s.wrong > 0 {
		out += fmt.Sprintf(", %d still answer %s", s.wrong, s.other)
	}
	if s.silent > 0 {
		out += fmt.Sprintf(", %d do not answer", s.silent)
	}
	return out
}

// servers asks the zone's name servers. The zero value means that nobody could be asked.
func (k Kit) servers(ctx context.Context, in kits.Instance, w wish, zone cloud.Zone) seen {
	if k.ask == nil || zone.Private {
		return seen{}
	}
	if len(zone.Servers) == 0 && zone.ID != "" {
		full, err := k.fullZone(ctx, in, zone)
		if err == nil && full.Private {
			return seen{}
		}
		if err == nil {
			zone.Servers = full.Servers
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	answers, err := k.ask(ctx, zone, w.name)
	if err != nil {
		return seen{}
	}
	return judge(answers, w.addr)
}

// fullZone reads the zone with its servers.
func (k Kit) fullZone(ctx context.Context, in kits.Instance, zone cloud.Zone) (cloud.Zone, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return k.cloud.Zone(ctx, accessOf(in), zone.ID)
}

func judge(answers []Answer, want string) seen {
	var s seen
	for _, a := range answers {
		switch {
		case a.Err != nil:
			s.silent++
		case slices.Equal(a.Addrs, []string{want}):
			s.right++
		default:
			s.wrong++
			s.other = "nothing"
			if len(a.Addrs) > 0 {
				s.other = a.Addrs[0]
			}
		}
	}
	return s
}

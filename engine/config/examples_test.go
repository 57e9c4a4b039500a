package config_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

// realKits are the program's own. Nothing here calls the cloud.
func realKits(t *testing.T) kits.Registry {
	t.Helper()
	return allkits.Of(ec2.New(nil), route53.New(nil))
}

func loadExample(t *testing.T, name string) *hierarchy.Estate {
	t.Helper()
	e, err := config.LoadFile(filepath.Join("..", "..", "examples", name), realKits(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExamplesAreGoodAndSurviveExport(t *testing.T) {
	for _, name := range []string{"cross-region.toml", "cross-region-postgresql.toml", "cross-region-oracle.toml", "single-region.toml"} {
		e := loadExample(t, name)
		back, err := config.Load(bytes.NewReader(config.Export(e, realKits(t))), name, realKits(t))
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Errorf("%s: after export: %v, %v", name, err, hierarchy.Diff(e, back))
		}
	}
}

// TestCrossRegionIsFigure1 holds the example against what the estate has to be.
func TestCrossRegionIsFigure1(t *testing.T) {
	e := loadExample(t, "cross-region.toml")
	x := hierarchy.NewIndexFor(e, realKits(t))
	if len(e.Regions) != 2 || len(e.Servers) != 8 || len(e.Cluster) != 3 {
		t.Fatalf("%d regions, %d servers, %d clusters", len(e.Regions), len(e.Servers), len(e.Cluster))
	}
	service := x.Cluster("service")
	for _, viewer := range service.Servers {
		for _, peer := range service.Servers {
			f := x.Flag(viewer, peer)
			if f.Confirm == x.SameRegion(viewer, peer) || f.Block {
				t.Errorf("flag on %s for %s: %s", viewer, peer, f.Word())
			}
		}
		for name, want := range map[string]string{"LKCHECKINTERVAL": "360", "NOBCASTPING": "1", "CONFIRMSODEF": "1", "QUORUM_MODE": "tcp_remote"} {
			if got := x.Effective(viewer, name); got != want {
				t.Errorf("%s on %s: %s, want %s", name, viewer, got, want)
			}
		}
		want := map[string]string{"ap-northeast-1": "10.1.0.10", "ap-southeast-1": "10.2.0.10"}[x.RegionOf(viewer)]
		if got := hierarchy.InstanceOf(x, "service/ip-route53", viewer, "").Attrs["address"]; got != want {
			t.Errorf("virtual IP on %s: %s, want %s", viewer, got, want)
		}
	}
	for _, vpn := range []string{"VPN_P_A", "VPN_P_B", "VPN_S_A", "VPN_S_B"} {
		if got := x.Effective(vpn, "LKCHECKINTERVAL"); got != "260" || x.Effective(vpn, "CONFIRMSODEF") != "0" {
			t.Errorf("tuning on %s: LKCHECKINTERVAL %s", vpn, got)
		}
	}
	if got := x.StartOrder(x.Hierarchy("service/www")...); !reflect.DeepEqual(got, []hierarchy.Tag{"service/ip-route53", "service/ec2-route53", "service/route53-www", "service/www"}) {
		t.Errorf("start order: %v", got)
	}
}

// TestFlagsOfTheExampleAreTheDefault: the matrix that is written out is what holds
// without it, as the comment in the file says.
func TestFlagsOfTheExampleAreTheDefault(t *testing.T) {
	e := loadExample(t, "cross-region.toml")
	with := hierarchy.NewIndex(e).FlagMatrix("service")
	bare := *e
	bare.Flags = nil
	if without := hierarchy.NewIndex(&bare).FlagMatrix("service"); !reflect.DeepEqual(with, without) {
		t.Errorf("with %v\nwithout %v", with, without)
	}
}

// TestSlipsInTheExampleAreNamed makes common mistakes in cross-region.toml and reads
// what the real kits have to say, word for word.
func TestSlipsInTheExampleAreNamed(t *testing.T) {
	text, err := os.ReadFile("../../examples/cross-region.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, old, new, want string }{
		{
			"virtual IP inside the VPC", `on.LK_S_A = { priority = 3, address = "10.2.0.10" }`, `on.LK_S_A = { priority = 3, address = "172.16.5.10" }`,
			`e.toml:149:29: resource service/ip-route53 on LK_S_A: the virtual IP 172.16.5.10 lies inside the VPC CIDR 172.16.0.0/16; a VPC does not route its own addresses elsewhere
    fix: write an IPv4 address outside every VPC, like "10.1.0.10"`,
		},
		{
			"virtual IP is a server", `on.LK_P_A = { priority = 1, address = "10.1.0.10" }`, `on.LK_P_A = { priority = 1, address = "10.0.10.10" }`,
			`e.toml:147:29: resource service/ip-route53 on LK_P_A: the virtual IP 10.0.10.10 lies inside the VPC CIDR 10.0.0.0/16; a VPC does not route its own addresses elsewhere
    fix: write an IPv4 address outside every VPC, like "10.1.0.10"`,
		},
		{
			"child misspelt", `needs = ["ip-route53"]`, `needs = ["ip-rout53"]`,
			`e.toml:138:1: resource service/ec2-route53 needs "ip-rout53", which does not exist
    fix: did you mean "ip-route53"?`,
		},
		{
			"no network interface", "eni = \"eni-lkpb\"\n", "",
			`e.toml:134:1: resource service/ec2-route53 on LK_P_B: the network interface of LK_P_B is not known ("")
    fix: set eni of the server, or the resource's eni there, like "eni-0123456789abcdef0"`,
		},
		{
			"CONFIRMSODEF left out on one node", "eni = \"eni-lksb\"\ntuning = { LKCHECKINTERVAL = 360, NOBCASTPING = 1, CONFIRMSODEF = 1 }", `eni = "eni-lksb"`,
			`e.toml:107:1: cluster "service" lies in more than one region, but CONFIRMSODEF is 0 on LK_S_B: a confirmation that nobody answers would cross by itself
    fix: write CONFIRMSODEF = 1 under [tuning] or under [server.NAME.tuning] of each, or, if that is what you want, allow_automatic_crossing = true under [cluster.service]`,
		},
		{
			"confirm flag taken away", `LK_P_A = "confirm"`, `LK_P_A = "none"`,
			`e.toml:214:1: "LK_S_A" could take over from "LK_P_A", which is in another region, without a person's word: the confirm flag is missing
    fix: set the confirm flag, or, if that is what you want, write allow_automatic_crossing = true under [cluster.service]`,
		},
		{
			"application without a stop", "stop = \"/etc/ferry/www-stop\"\n", "",
			`e.toml:115:1: resource service/www has no stop, which kit "app" needs
    fix: write stop = …`,
		},
	} {
		bad := strings.Replace(string(text), c.old, c.new, 1)
		if bad == string(text) {
			t.Errorf("%s: the text to replace is not in the example", c.what)
			continue
		}
		_, err := config.Load(strings.NewReader(bad), "e.toml", realKits(t))
		if got := fmt.Sprint(err); got != c.want {
			t.Errorf("%s: got\n%s", c.what, got)
		}
	}
}

func TestLineEndsAndMarksOfOtherSystems(t *testing.T) {
	for what, text := range map[string]string{
		"CRLF":            "[estate]\r\nname = \"a\"\r\nnmae = 1\r\n",
		"byte order mark": "\ufeff[estate]\nname = \"a\"\nnmae = 1\n",
	} {
		_, err := config.Load(strings.NewReader(text), "e.toml", realKits(t))
		if got := fmt.Sprint(err); got != "e.toml:3:1: unknown key \"nmae\" in [estate]\n    fix: did you mean \"name\"?" {
			t.Errorf("%s: %s", what, got)
		}
	}
	_, err := config.Load(strings.NewReader("\xff\xfe[\x00e\x00"), "e.toml", realKits(t))
	if got := fmt.Sprint(err); !strings.HasPrefix(got, "e.toml:1:2: ") || !strings.Contains(got, "must be UTF-8") {
		t.Errorf("UTF-16: %s", got)
	}
}

package cloud_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits/cloud"
)

func TestSecretIsNeverShown(t *testing.T) {
	a := cloud.Access{Region: "ap-northeast-1", Source: cloud.FromKey, Key: cloud.KeyPair{ID: "AKIA1", Secret: "hush", Token: "hush"}}
	js, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "access", a, "key", a.Key)
	for _, shown := range []string{string(js), fmt.Sprint(a), fmt.Sprintf("%v %+v %#v %s", a, a.Key, a.Key, a.Key), fmt.Sprintf("%+v", &a), logged.String()} {
		if strings.Contains(shown, "hush") {
			t.Errorf("the secret is in %q", shown)
		}
		if !strings.Contains(shown, "AKIA1") {
			t.Errorf("the key's id is not in %q", shown)
		}
	}
}

func TestErrorTellsWhatWhereAndWhatToDo(t *testing.T) {
	err := fmt.Errorf("starting: %w", &cloud.Error{
		Kind: cloud.Throttled, Op: "ReplaceRoute", Region: "ap-northeast-1", Subject: "10.1.0.10/32 in rtb-1",
		Hint: "wait", Err: errors.New("slow down"),
	})
	want := "starting: ReplaceRoute in ap-northeast-1 (10.1.0.10/32 in rtb-1): throttled: slow down; wait"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if cloud.KindOf(err) != cloud.Throttled {
		t.Errorf("kind is %s", cloud.KindOf(err))
	}
	if got := cloud.KindOf(errors.New("who knows")); got != cloud.Unreachable {
		t.Errorf("an error without a kind is %s", got)
	}
}

func TestRouteIsFoundByExactDestination(t *testing.T) {
	table := cloud.RouteTable{Routes: []cloud.Route{{Destination: netip.MustParsePrefix("10.1.0.10/32"), Interface: "eni-1"}}}
	if _, ok := table.To(netip.MustParsePrefix("10.1.0.1/32")); ok {
		t.Error("10.1.0.1 is not 10.1.0.10")
	}
	if r, ok := table.To(netip.MustParsePrefix("10.1.0.10/32")); !ok || r.Target() != "eni-1" {
		t.Errorf("got %v, %v", r, ok)
	}
}

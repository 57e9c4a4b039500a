package awscloud_test

import (
	"testing"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits/cloud"
)

func TestPutAddressMovesAnElasticIP(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		s.Inject(ec2sim.Fault{Action: "AssociateAddress", DropAfter: true, Times: 1})
		if err := c.PutAddress(t.Context(), ferryKey(), "eipalloc-1", "eni-b", ""); err != nil {
			t.Fatal(err)
		}
		got, err := c.Address(t.Context(), ferryKey(), "eipalloc-1")
		if err != nil || got.Interface != "eni-b" || got.Instance != "i-b" || got.PrivateIP != "10.0.0.20" || got.PublicIP != "54.249.2.50" {
			t.Errorf("got %+v, %v", got, err)
		}
		_, err = c.Address(t.Context(), ferryKey(), "eipalloc-none")
		wantError(t, "unknown address", err, cloud.NotFound, "InvalidAllocationID.NotFound")
		if err := c.PutAddress(t.Context(), ferryKey(), "eipalloc-1", "eni-a", "10.0.0.11"); err != nil {
			t.Fatal(err)
		}
		got, err = c.Address(t.Context(), ferryKey(), "54.249.2.50") // by the address itself
		if err != nil || got.Interface != "eni-a" || got.PrivateIP != "10.0.0.11" || got.Allocation != "eipalloc-1" {
			t.Errorf("got %+v, %v", got, err)
		}
		if all, err := c.Addresses(t.Context(), ferryKey()); err != nil || len(all) != 1 || all[0] != got {
			t.Errorf("got %+v, %v", all, err)
		}
		_, err = c.Address(t.Context(), ferryKey(), "192.0.2.1")
		wantError(t, "unknown public address", err, cloud.NotFound, "InvalidAddress.NotFound")
		wantError(t, "not an address of the interface", c.PutAddress(t.Context(), ferryKey(), "eipalloc-1", "eni-a", "10.0.0.99"), cloud.Refused, "InvalidParameterValue")
	})
}

func TestMayPutAddressChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		if err := c.MayPutAddress(t.Context(), ferryKey(), "eipalloc-1", "eni-b", ""); err != nil {
			t.Error(err)
		}
		wantError(t, "unknown", c.MayPutAddress(t.Context(), ferryKey(), "eipalloc-none", "eni-b", ""), cloud.NotFound, "InvalidAllocationID.NotFound")
		if got := s.Snapshot().Regions[0].Addresses[0].Interface; got != "eni-a" {
			t.Errorf("the address is at %s", got)
		}
	})
}

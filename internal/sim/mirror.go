package sim

import (
	"context"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/datakeeper"
	"github.com/ferry-ha/ferry/kits/filesystem"
	"github.com/ferry-ha/ferry/kits/postgresql"
)

// The data of an estate: what kits datakeeper, filesystem, postgresql and oracle find on its nodes before anything is in service.

const (
	// diskSize of every simulated data disk, in bytes.
	diskSize = 1 << 30
	// postgresVersion is the one that is installed.
	postgresVersion = "15.18"
)

// addData gives nodes the disks that resources name, and installs PostgreSQL and Oracle where a resource wants them. On the disks of the
// first node of each lie the file system and the databases, on the others nothing.
func (s *Sim) addData(e *hierarchy.Estate) error {
	for _, r := range e.Res {
		var err error
		switch r.Kit {
		case "datakeeper":
			err = s.addDisks(r, datakeeper.FieldDisk, true)
		case "filesystem":
			err = s.addDisks(r, filesystem.FieldDevice, false)
		case "postgresql":
			err = s.installPostgres(r)
		}
		if err != nil {
			return fmt.Errorf("the data of %s: %w", r.Tag, err)
		}
	}
	for _, r := range e.Res {
		var err error
		switch r.Kit {
		case "postgresql":
			err = s.initPostgres(r)
		case "oracle":
			err = s.installOracle(r)
		}
		if err != nil {
			return fmt.Errorf("the data of %s: %w", r.Tag, err)
		}
	}
	return nil
}

// fieldsOn are a resource's fields on a server, in order of priority.
func (s *Sim) fieldsOn(r hierarchy.Resource) (servers []string, attrs map[string]map[string]string) {
	for _, p := range s.index.PlacementsByPriority(r.Tag) {
		servers = append(servers, p.Server)
	}
	return servers, hierarchy.InstanceOf(s.index, r.Tag, servers[0], "").On
}

// addDisks makes the plain disks among a resource's devices; a mirror's own device is no disk.
func (s *Sim) addDisks(r hierarchy.Resource, field string, mirrored bool) error {
	servers, attrs := s.fieldsOn(r)
	for i, server := range servers {
		disk, plain := strings.CutPrefix(attrs[server][field], "/dev/")
		n := s.Nodes.Node(server)
		if n == nil || !plain || strings.Contains(disk, "/") || strings.HasPrefix(disk, "md") || n.HasDisk(disk) {
			continue
		}
		fsType := "ext4"
		if t := attrs[server]["fs_type"]; t != "" {
			fsType = t
		}
		if mirrored && (i > 0 || attrs[server][datakeeper.FieldHierarchy] == datakeeper.HierarchyNew) {
			fsType = ""
		}
		if err := n.AddDisk(disk, diskSize, fsType); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sim) installPostgres(r hierarchy.Resource) error {
	servers, attrs := s.fieldsOn(r)
	for _, server := range servers {
		bin := nodesim.PostgresBin
		if b := attrs[server][postgresql.FieldBin]; b != "" {
			bin = b
		}
		if n := s.Nodes.Node(server); n != nil {
			if err := n.InstallPostgres(bin, postgresVersion); err != nil {
				return err
			}
		}
	}
	return nil
}

// initPostgres makes the cluster on the disk that will be mounted under it on the first node. Where the disks are not
// mirrored each node has one.
func (s *Sim) initPostgres(r hierarchy.Resource) error {
	servers, attrs := s.fieldsOn(r)
	for i, server := range servers {
		disk, point, mirrored := s.diskUnder(r, server, attrs[server][postgresql.FieldData])
		if n := s.Nodes.Node(server); n != nil && disk != "" && (i == 0 || !mirrored) {
			below := strings.TrimPrefix(path.Clean(attrs[server][postgresql.FieldData]), point)
			if err := n.FillDiskFiles(disk, nodesim.PostgresFiles(below, postgresVersion, s.postgresPort(r))); err != nil {
				return err
			}
		}
	}
	return nil
}

// diskUnder finds the disk on which a directory of a resource will lie: its file system, and the mirror under that.
func (s *Sim) diskUnder(r hierarchy.Resource, server, dir string) (disk, point string, mirrored bool) {
	for _, c := range r.Children {
		fs := hierarchy.InstanceOf(s.index, c, server, "")
		if fs.Kit != "filesystem" || !strings.HasPrefix(dir+"/", fs.Attrs["mount_point"]+"/") {
			continue
		}
		for _, under := range fs.Children {
			if under.Kit == "datakeeper" {
				return strings.TrimPrefix(under.On[server][datakeeper.FieldDisk], "/dev/"), fs.Attrs["mount_point"], true
			}
		}
		return strings.TrimPrefix(fs.Attrs[filesystem.FieldDevice], "/dev/"), fs.Attrs["mount_point"], false
	}
	return "", "", false
}

func (s *Sim) postgresPort(r hierarchy.Resource) int {
	var port int
	if _, err := fmt.Sscan(r.Attrs[postgresql.FieldPort], &port); err != nil {
		return 5432
	}
	return port
}

// WriteRow is a client in a region that inserts one numbered row at addr ("10.1.0.10:5432"). Without an error the row was
// acknowledged, and must never be lost.
func (s *Sim) WriteRow(ctx context.Context, region, addr string, row int) error {
	return s.Nodes.PostgresWrite(ctx, func(a netip.Addr) (string, bool) { return s.route(region, a) }, addr, row)
}

// ReadRows is a client that reads all of them.
func (s *Sim) ReadRows(ctx context.Context, region, addr string) ([]int, error) {
	return s.Nodes.PostgresRead(ctx, func(a netip.Addr) (string, bool) { return s.route(region, a) }, addr)
}

// slugOf is a mirror's name in device names.
func slugOf(tag hierarchy.Tag) string { return datakeeper.Slug(kits.Instance{Tag: string(tag)}) }

// Mirror is what a node's kernel has of a mirror.
func (s *Sim) Mirror(tag hierarchy.Tag, server string) nodesim.MirrorState {
	if n := s.Nodes.Node(server); n != nil {
		return n.Mirror(slugOf(tag))
	}
	return nodesim.MirrorState{}
}

// KillMirrorServer ends the process that serves a node's leg of a mirror.
func (s *Sim) KillMirrorServer(tag hierarchy.Tag, server string) error {
	n := s.Nodes.Node(server)
	if n == nil {
		return fmt.Errorf("the estate has no server %s", server)
	}
	return n.KillMirrorServer(slugOf(tag))
}

// MirrorSources are the nodes on which a mirror's array runs and takes writes: one at most may acknowledge any.
func (s *Sim) MirrorSources(tag hierarchy.Tag) []string {
	var out []string
	for _, srv := range s.index.Estate().Servers {
		if m := s.Mirror(tag, srv.Name); m.Source && !m.Errors {
			out = append(out, srv.Name)
		}
	}
	return out
}

// MirrorDiffers compares the disks of two nodes and names what differs.
func (s *Sim) MirrorDiffers(tag hierarchy.Tag, a, b string) ([]string, error) {
	on := hierarchy.InstanceOf(s.index, tag, a, "").On
	name := func(server string) string { return strings.TrimPrefix(on[server][datakeeper.FieldDisk], "/dev/") }
	return s.Nodes.MirrorDiffers(a, name(a), b, name(b))
}

// MirrorLegs are the nodes that have a leg of a mirror, by priority.
func (s *Sim) MirrorLegs(tag hierarchy.Tag) []string {
	i := slices.IndexFunc(s.index.Estate().Res, func(r hierarchy.Resource) bool { return r.Tag == tag })
	if i < 0 {
		return nil
	}
	servers, _ := s.fieldsOn(s.index.Estate().Res[i])
	return servers
}

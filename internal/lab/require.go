package lab

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

//go:embed packages.txt
var hostPackages string

// Packages lists the Debian packages that the machine itself needs to run a lab, one per line of packages.txt.
func Packages() []string { return lines(hostPackages) }

// lines are the entries of a list file: no blanks, no comments.
func lines(s string) []string {
	var out []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, l)
		}
	}
	return out
}

// programOf is the program by which a package's presence is seen; the machine need not be managed by dpkg.
func programOf(pkg string) string {
	switch pkg {
	case "e2fsprogs":
		return "mke2fs"
	case "iproute2":
		return "ip"
	case "nftables":
		return "nft"
	case "openssh-client":
		return "ssh"
	case "user-mode-linux":
		return umlKernel
	case "util-linux":
		return "unshare"
	default:
		return pkg
	}
}

// Require says why no lab can run here: not Linux, not root, a package missing (named, with the command that installs it),
// no tap device. It changes nothing and takes no time.
func Require() error {
	if err := supported(); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("the lab needs root: it makes network namespaces and tap devices")
	}
	var missing []string
	for _, p := range Packages() {
		if _, err := exec.LookPath(programOf(p)); err != nil {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the lab needs packages that are not installed: apt-get install -y --no-install-recommends %s", strings.Join(missing, " "))
	}
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		return fmt.Errorf("the lab needs the tap device: %w", err)
	}
	return nil
}

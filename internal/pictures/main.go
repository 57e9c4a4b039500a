// Pictures draws the screens that the README shows: it runs the real console on the
// demo's estate in a terminal emulator, presses the keys that a person would press, and
// writes what is on the screen as SVG.
//
//	go run ./internal/pictures docs/pictures
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/internal/demo"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
	"github.com/ferry-ha/ferry/tui/text"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./internal/pictures DIRECTORY")
		os.Exit(64)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := all(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// all draws every picture, in both languages.
func all(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, lang := range text.Langs() {
		if err := story(ctx, dir, lang); err != nil {
			return fmt.Errorf("%s: %w", lang, err)
		}
	}
	return nil
}

// story goes through the demo once.
func story(ctx context.Context, dir string, lang text.Lang) (err error) {
	d, err := demo.Open(ctx, demo.Options{Kits: registry, Person: "anna", Who: "anna@bastion (412)", Version: "demo"})
	if err != nil {
		return err
	}
	defer d.Close()
	s, err := open(ctx, d, lang)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	shot := func(name string) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+"-"+string(lang)+".svg"), []byte(svg(s.screen, "ferry: "+name)), 0o644)
		}
	}
	step := func(want string, keys ...string) {
		if err == nil {
			err = s.press(keys...)
		}
		if err == nil {
			err = s.wait(ctx, want)
		}
	}
	step("ISP")
	if err == nil {
		err = s.until(ctx, "the service with every copy of its data", func() bool { return d.Probe().Node == "LK_P_A" && s.whole(ctx) })
	}
	step("ISP", "esc", "1", "down", "down")
	shot("hierarchies")
	step("LK_P_A", "2")
	shot("topology")
	breakIt := func(id string) {
		if b := d.Find(id); err == nil && b == nil {
			err = fmt.Errorf("the demo has nothing called %s", id)
		} else if err == nil {
			_, err = b.Toggle()
		}
	}
	step("LK_P_B", "1")
	breakIt("power/LK_P_A")
	if err == nil {
		err = s.until(ctx, "the failover", func() bool { return d.Probe().Node == "LK_P_B" })
	}
	shot("failover")
	step("LK_P_A", "5")
	shot("operations")
	if err == nil {
		err = s.until(ctx, "the copies that are left", func() bool { return s.whole(ctx) })
	}
	breakIt("power/LK_P_B")
	step("ap-southeast-1", "1")
	if err == nil {
		err = s.until(ctx, "the question", func() bool { return s.asked(ctx) })
	}
	time.Sleep(time.Second) // two frames more
	shot("question")
	return err
}

func registry(a account.Account) kits.Registry {
	return allkits.Of(ec2.New(a), route53.New(a).Asking(nil))
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// options are what packages are made of.
type options struct {
	// root is the folder of the repository.
	root      string
	platforms []platform
	// formats are the kinds of packages, all if there are none.
	formats           []string
	program           string
	out, version, key string
	created           time.Time
}

// platform is a folder with the program for one architecture, and its bill of materials.
type platform struct{ arch, dir string }

// The kinds of packages, by their names in nfpm.
const (
	formatDeb = "deb"
	formatRPM = "rpm"
	formatAPK = "apk"
)

// write writes all into the folder, in place of what was there.
func (o options) write(ctx context.Context) error {
	paths, err := parts.Ensure(ctx, parts.Nfpm)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(o.out); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	stage, err := o.stage(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	if len(o.formats) == 0 {
		o.formats = []string{formatDeb, formatRPM, formatAPK}
	}
	for _, p := range o.platforms {
		for _, format := range o.formats {
			if err := o.pack(ctx, paths.Bin(parts.Nfpm, "nfpm"), stage, p, format); err != nil {
				return fmt.Errorf("writing the %s for %s: %w", format, p.arch, err)
			}
		}
		if err := o.bill(p); err != nil {
			return err
		}
	}
	return o.sums(ctx)
}

// pack writes one package.
func (o options) pack(ctx context.Context, nfpm, stage string, p platform, format string) error {
	program, err := filepath.Abs(filepath.Join(p.dir, "ctr-prune"))
	if err != nil {
		return err
	}
	out, err := filepath.Abs(o.out)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, nfpm, "package", "--config", "deploy/packages/nfpm.yaml", "--packager", format, "--target", out+"/")
	cmd.Dir = o.root
	cmd.Env = append(os.Environ(), "ARCH="+p.arch, "VERSION="+versionFor(format, o.version).semantic(),
		"PROGRAM="+program, "STAGE="+stage, fmt.Sprint("SOURCE_DATE_EPOCH=", o.created.Unix()))
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// bill puts the bill of materials of a program beside the packages.
func (o options) bill(p platform) error {
	text, err := os.ReadFile(filepath.Join(p.dir, "ctr-prune.cdx.json"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.out, "ctr-prune_linux_"+p.arch+".cdx.json"), text, 0o644)
}

package main

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// linkedVersion is set by packagers with -ldflags "-X main.linkedVersion=…".
var linkedVersion string

// versionInfo is what this program was built from.
type versionInfo struct {
	Version    string `json:"version"`
	Go         string `json:"go"`
	Platform   string `json:"platform"`
	Containerd string `json:"containerd"`
}

func version() versionInfo {
	v := versionInfo{Version: linkedVersion, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Version = cmp.Or(v.Version, info.Main.Version)
		for _, dep := range info.Deps {
			if dep.Path == "github.com/containerd/containerd/v2" {
				v.Containerd = dep.Version
			}
		}
	}
	v.Version = cmp.Or(v.Version, "(devel)")
	return v
}

func newVersion(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			v := version()
			out := p.printer(p.stdout)
			out.Line("ctr-prune %s", v.Version)
			out.Line("built with %s for %s", v.Go, v.Platform)
			out.Line("containerd packages %s", v.Containerd)
			return out.Flush()
		},
	}
}

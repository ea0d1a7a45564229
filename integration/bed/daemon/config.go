package daemon

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// The configuration turns off what a private daemon does not need or what
// would reach outside of its folder. The garbage collector's scheduler keeps
// its defaults. Snapshotters other than overlayfs and native are off so that
// every machine has the same ones.
var configTemplate = template.Must(template.New("config").Parse(`version = {{.ConfigVersion}}
root = "{{.Root}}"
state = "{{.State}}"
disabled_plugins = [
{{- range .Disabled}}
  "{{.}}",
{{- end}}
]

[grpc]
  address = "{{.Address}}"
{{- if .MaxAnswer}}
  max_send_message_size = {{.MaxAnswer}}
{{- end}}
[ttrpc]
  address = "{{.Address}}.ttrpc"
[debug]
  address = ""
{{- if .LogLevel}}
  level = "{{.LogLevel}}"
{{- end}}
[metrics]
  address = ""

[plugins."io.containerd.internal.v1.opt"]
  path = "{{.State}}/opt"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
{{- if .NoSync}}
[plugins."io.containerd.metadata.v1.bolt"]
  no_sync = true
{{- end}}
{{- if .CRI}}
{{- if eq .ConfigVersion 2}}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{{.SandboxImage}}"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "{{.Snapshotter}}"
{{- else}}
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "{{.Snapshotter}}"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{{.SandboxImage}}"
{{- end}}
{{- end}}
{{- if .UnpackInto}}
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
  platform = "linux/{{.Arch}}"
  snapshotter = "{{.UnpackInto}}"
{{- end}}

{{.Extra}}
`))

type configValues struct {
	ConfigVersion                    int
	Root, State, Address             string
	Disabled                         []string
	NoSync, CRI                      bool
	SandboxImage, Snapshotter, Extra string
	LogLevel                         string
	MaxAnswer                        int
	// UnpackInto is where the transfer service unpacks, if not by its default.
	UnpackInto, Arch string
}

func (d *Daemon) configFile() string { return filepath.Join(d.dir, "config.toml") }

func (d *Daemon) writeConfig() error {
	v := configValues{
		ConfigVersion: 3,
		Root:          d.Root(),
		State:         d.State(),
		Address:       d.Address(),
		Disabled:      disabledPlugins(d.opts.CRI),
		NoSync:        d.opts.NoSync && d.opts.Version == parts.Containerd24,
		CRI:           d.opts.CRI,
		SandboxImage:  d.opts.SandboxImage,
		Snapshotter:   d.Snapshotter(),
		LogLevel:      d.opts.LogLevel,
		Extra:         d.opts.Config,
		MaxAnswer:     d.opts.MaxAnswer,
	}
	if d.opts.Version == parts.Containerd17 {
		v.ConfigVersion = 2
	} else if v.Snapshotter == "native" {
		v.UnpackInto, v.Arch = v.Snapshotter, runtime.GOARCH
	}
	var text strings.Builder
	if err := configTemplate.Execute(&text, v); err != nil {
		return err
	}
	return os.WriteFile(d.configFile(), []byte(text.String()), 0o644)
}

func disabledPlugins(cri bool) []string {
	off := []string{
		"io.containerd.snapshotter.v1.blockfile",
		"io.containerd.snapshotter.v1.btrfs",
		"io.containerd.snapshotter.v1.devmapper",
		"io.containerd.snapshotter.v1.erofs",
		"io.containerd.snapshotter.v1.zfs",
		"io.containerd.internal.v1.tracing",
	}
	if !cri {
		off = append(off,
			"io.containerd.grpc.v1.cri",
			"io.containerd.cri.v1.images",
			"io.containerd.cri.v1.runtime",
			"io.containerd.podsandbox.controller.v1.podsandbox",
		)
	}
	return off
}

package parts

// recipe says how to get a part. It either has a module, and is built, or has
// none, and its programs come from Debian packages.
type recipe struct {
	// module is "path@version" on the Go module proxy.
	module string
	// within is the folder under modules/ with the go.mod that requires the
	// module, for one whose own go.mod only works in its repository. It has to
	// require that version.
	within string
	// packages are the main packages to build, relative to the module or, with
	// within, in full.
	packages []string
	programs []string
	cgo      bool
	tags     string
	// variables are set by the linker, each "package.name=value".
	variables []string
	// debian are packages to install when a program of needs is missing.
	debian []string
	// needs are programs that must be in PATH before the build (or, without
	// a module, the programs themselves).
	needs []string
	// unpack leaves the package uninstalled, because it would start a service on
	// this machine: its files are only put into the cache.
	unpack bool
	// pkgConfig are libraries that pkg-config must find before the build.
	pkgConfig []string
}

var recipes = map[Part]recipe{
	Containerd24: {
		module:   "github.com/containerd/containerd/v2@v2.4.2",
		packages: []string{"./cmd/containerd", "./cmd/ctr"},
		programs: []string{"containerd", "ctr"},
	},
	Containerd17: {
		module:   "github.com/containerd/containerd@v1.7.35",
		packages: []string{"./cmd/containerd", "./cmd/ctr"},
		programs: []string{"containerd", "ctr"},
	},
	Shim: {
		module:   "github.com/containerd/containerd/v2@v2.4.2",
		packages: []string{"./cmd/containerd-shim-runc-v2"},
		programs: []string{"containerd-shim-runc-v2"},
	},
	// A shim serves the containerd of its own version only.
	Shim17: {
		module:   "github.com/containerd/containerd@v1.7.35",
		packages: []string{"./cmd/containerd-shim-runc-v2"},
		programs: []string{"containerd-shim-runc-v2"},
	},
	Runc: {
		module:    "github.com/opencontainers/runc@v1.5.2",
		packages:  []string{"."},
		programs:  []string{"runc"},
		cgo:       true,
		tags:      "seccomp",
		debian:    []string{"gcc", "libc6-dev", "libseccomp-dev", "pkg-config"},
		needs:     []string{"gcc", "pkg-config"},
		pkgConfig: []string{"libseccomp"},
	},
	Dockerd: {
		module:   "github.com/moby/moby/v2@v2.0.0-beta.24",
		packages: []string{"./cmd/dockerd"},
		programs: []string{"dockerd"},
	},
	Buildkit: {
		module:   "github.com/moby/buildkit@v0.33.1",
		packages: []string{"./cmd/buildkitd", "./cmd/buildctl"},
		programs: []string{"buildkitd", "buildctl"},
	},
	Etcd: {
		module:   "go.etcd.io/etcd/server/v3@v3.7.3",
		within:   "etcd",
		packages: []string{"go.etcd.io/etcd/server/v3"},
		programs: []string{"server"},
	},
	Kubelet:     kubernetes("kubelet"),
	APIServer:   kubernetes("kube-apiserver"),
	Controllers: kubernetes("kube-controller-manager"),
	Scheduler:   kubernetes("kube-scheduler"),
	Kubectl:     kubernetes("kubectl"),
	CNI: {
		module:   "github.com/containernetworking/plugins@v1.10.0",
		packages: []string{"./plugins/main/bridge", "./plugins/main/loopback", "./plugins/ipam/host-local"},
		programs: []string{"bridge", "loopback", "host-local"},
	},
	Umoci:     {programs: []string{"umoci"}, needs: []string{"umoci"}, debian: []string{"umoci"}},
	Skopeo:    {programs: []string{"skopeo"}, needs: []string{"skopeo"}, debian: []string{"skopeo"}},
	Registry:  {programs: []string{"docker-registry"}, debian: []string{"docker-registry"}, unpack: true},
	E2fsprogs: {programs: []string{"mkfs.ext4", "e2fsck"}, needs: []string{"mkfs.ext4", "e2fsck"}, debian: []string{"e2fsprogs"}},
	Xfsprogs:  {programs: []string{"mkfs.xfs"}, needs: []string{"mkfs.xfs"}, debian: []string{"xfsprogs"}},
	Promtool:  {programs: []string{"promtool"}, debian: []string{"prometheus"}, unpack: true},
	// Later versions require modules that not every module proxy has.
	Nfpm: {
		module:   "github.com/goreleaser/nfpm/v2@v2.45.2",
		packages: []string{"./cmd/nfpm"},
		programs: []string{"nfpm"},
	},
	Helm: {
		module:    "helm.sh/helm/v4@v4.3.1",
		packages:  []string{"./cmd/helm"},
		programs:  []string{"helm"},
		variables: []string{"helm.sh/helm/v4/internal/version.version=v4.3.1"},
	},
	Kubeconform: {
		module:   "github.com/yannh/kubeconform@v0.8.0",
		packages: []string{"./cmd/kubeconform"},
		programs: []string{"kubeconform"},
	},
	RPM:        {programs: []string{"rpm", "rpmkeys"}, needs: []string{"rpm", "rpmkeys"}, debian: []string{"rpm"}},
	Shellcheck: {programs: []string{"shellcheck"}, needs: []string{"shellcheck"}, debian: []string{"shellcheck"}},
	Yamllint:   {programs: []string{"yamllint"}, needs: []string{"yamllint"}, debian: []string{"yamllint"}},
	Lintian:    {programs: []string{"lintian"}, needs: []string{"lintian"}, debian: []string{"lintian"}},
	Rpmlint:    {programs: []string{"rpmlint"}, needs: []string{"rpmlint", "rpm"}, debian: []string{"rpmlint", "rpm"}},
	Mmdebstrap: {programs: []string{"mmdebstrap"}, needs: []string{"mmdebstrap"}, debian: []string{"mmdebstrap"}},
	// Its package starts nothing where no systemd runs. The tests start one that is
	// process 1 of namespaces of its own.
	Systemd: {programs: []string{"systemd-analyze"}, needs: []string{"systemd-analyze", "systemctl"}, debian: []string{"systemd"}},
	// The fonts make the browser measure text as on a desktop.
	Chromium: {programs: []string{"chromium"}, needs: []string{"chromium"}, debian: []string{"chromium", "fonts-dejavu-core"}},
}

// kubernetes is the recipe of one program of Kubernetes. Its version is not in
// the source: the linker has to say it, and the API server does not start
// without.
func kubernetes(program string) recipe {
	return recipe{
		module:   "k8s.io/kubernetes@v1.37.2",
		within:   "kubernetes",
		packages: []string{"k8s.io/kubernetes/cmd/" + program},
		programs: []string{program},
		variables: []string{
			"k8s.io/component-base/version.gitVersion=v1.37.2",
			"k8s.io/component-base/version.gitMajor=1",
			"k8s.io/component-base/version.gitMinor=37",
		},
	}
}

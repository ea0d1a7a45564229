package parts

import "path/filepath"

// Part names a set of programs in one version.
type Part string

// The parts. A version here is the version the tests are about; changing one
// builds a new folder beside the old.
const (
	Containerd24 Part = "containerd@2.4.2"
	Containerd17 Part = "containerd@1.7.35"
	Shim         Part = "containerd-shim-runc-v2@2.4.2"
	Shim17       Part = "containerd-shim-runc-v2@1.7.35"
	Runc         Part = "runc@1.5.2"
	Dockerd      Part = "dockerd@2.0.0-beta.24"
	Buildkit     Part = "buildkit@0.33.1"
	Etcd         Part = "etcd@3.7.3"
	Kubelet      Part = "kubelet@1.37.2"
	APIServer    Part = "kube-apiserver@1.37.2"
	Controllers  Part = "kube-controller-manager@1.37.2"
	Scheduler    Part = "kube-scheduler@1.37.2"
	Kubectl      Part = "kubectl@1.37.2"
	CNI          Part = "cni-plugins@1.10.0"
	Umoci        Part = "umoci"
	Skopeo       Part = "skopeo"
	Registry     Part = "docker-registry"
	Chromium     Part = "chromium"
	E2fsprogs    Part = "e2fsprogs"
	Xfsprogs     Part = "xfsprogs"
	Promtool     Part = "promtool"
	Nfpm         Part = "nfpm@2.45.2"
	RPM          Part = "rpm"
	Shellcheck   Part = "shellcheck"
	Helm         Part = "helm@4.3.1"
	Kubeconform  Part = "kubeconform@0.8.0"
	Yamllint     Part = "yamllint"
	Lintian      Part = "lintian"
	Rpmlint      Part = "rpmlint"
	Mmdebstrap   Part = "mmdebstrap"
	Systemd      Part = "systemd"
)

// Cluster returns the parts of `make test-cluster` alone: building them takes
// far longer than all others together.
func Cluster() []Part {
	return []Part{Etcd, Kubelet, APIServer, Controllers, Scheduler, Kubectl, CNI, Helm}
}

// Chart returns the parts of `make test-chart` alone: helm takes long to build.
func Chart() []Part { return []Part{Helm, Kubeconform, Yamllint} }

// Packages returns the parts of `make test-packages` alone.
func Packages() []Part { return []Part{Lintian, Rpmlint, Mmdebstrap} }

// All returns every part of `make test`, those that the first tests need first.
func All() []Part {
	return []Part{Containerd24, Containerd17, Umoci, Skopeo, Registry, Runc, Shim, Shim17, Dockerd, Buildkit, Chromium, E2fsprogs, Xfsprogs, Promtool, Nfpm, RPM, Shellcheck, Systemd}
}

// Paths says where the programs of the parts are.
type Paths map[Part]string

// Dir returns the folder that holds the programs of part.
func (p Paths) Dir(part Part) string { return p[part] }

// Bin returns the path of one program of part.
func (p Paths) Bin(part Part, program string) string {
	return filepath.Join(p[part], program)
}

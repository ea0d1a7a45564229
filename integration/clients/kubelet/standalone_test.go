//go:build cluster

package kubelet_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

// fill gives the kubelet pods in every state in which a pod needs an image that
// no container has. Put gives it one.
func (n *node) fill(put func(string, kubelet.Spec), absent string) {
	n.t.Helper()
	app, gate := n.image("app"), n.image("gate")
	put("running", kubelet.Spec{Containers: []kubelet.Container{kubelet.Waits("main", app)}})
	put("starting", kubelet.Spec{
		InitContainers: []kubelet.Container{kubelet.Waits("gate", gate)},
		Containers:     []kubelet.Container{kubelet.Waits("main", n.image("later")).WithVolume("data")},
		Volumes:        []kubelet.Volume{kubelet.ImageVolume("data", n.image("later-data"))},
	})
	put("set-up", kubelet.Spec{
		InitContainers: []kubelet.Container{kubelet.Exits("once", n.image("once"))},
		Containers:     []kubelet.Container{kubelet.Waits("main", app)},
	})
	put("crashing", kubelet.Spec{Containers: []kubelet.Container{kubelet.Exits("main", n.image("crash"))}})
	put("refused", kubelet.Spec{Containers: []kubelet.Container{refuses("main", n.image("refused"))}})
	put("mounting", mounts(n.image("mounting"), absent))
	put("volume", kubelet.Spec{
		Containers: []kubelet.Container{kubelet.Waits("main", app).WithVolume("data")},
		Volumes:    []kubelet.Volume{kubelet.ImageVolume("data", n.image("data"))},
	})
}

// refuses is a container that the kubelet does not create, because its program
// would be root.
func refuses(name, image string) kubelet.Container {
	c := kubelet.Waits(name, image)
	c.SecurityContext = &cluster.Object{"runAsNonRoot": true}
	return c
}

// mounts is a pod that waits, without a sandbox, until a folder is there.
func mounts(image, folder string) kubelet.Spec {
	return kubelet.Spec{
		Containers: []kubelet.Container{kubelet.Waits("main", image).WithVolume("data")},
		Volumes:    []kubelet.Volume{kubelet.Folder("data", folder)},
	}
}

// awaitFilled waits until each pod of fill is in its state, and removes the
// containers that have ended.
func (n *node) awaitFilled() {
	n.t.Helper()
	for _, pod := range []string{"running", "set-up", "volume"} {
		n.AwaitContainer(pod, "main", "running", runs)
	}
	n.AwaitContainer("starting", "gate", "running", runs)
	n.AwaitContainer("refused", "main", "refused", refused)
	n.AwaitContainer("mounting", "main", "waiting", func(s kubelet.Status) bool { return s.Waits("ContainerCreating") })
	n.AwaitContainer("set-up", "once", "done", ended)
	n.remove("set-up", "once")
	n.AwaitContainer("crashing", "main", "backing off", backsOff)
}

// Images that only the kubelet's list needs stay, also when their pod has no
// container, and not even a sandbox; what nobody needs goes. Each pod starts
// with what is left.
func TestStandaloneKubelet(t *testing.T) {
	n := on(t, kubelet.Standalone(t))
	absent := filepath.Join(t.TempDir(), "absent")
	n.fill(n.Static, absent)
	n.image("stray")
	n.awaitFilled()

	n.wantCertificateRefused()
	n.wantImages(n.allBut()...)

	n.wantUnused("later", "later-data", "mounting", "once", "refused", "stray")
	n.prune("--pods", n.ReadOnlyURL()).Want(t, 0)
	n.wantImages(n.allBut("stray")...)

	n.image("stray") // the same list, over https
	user := n.CA.User("pruner")
	n.prune("--pods", n.URL(), "--pods-client-certificate", user.CertFile, "--pods-client-key", user.KeyFile, "--pods-insecure-skip-tls-verify").Want(t, 0)
	n.wantImages(n.allBut("stray")...)

	n.restart("running/main", "set-up/main", "volume/main", "starting/gate")
	n.release(n.Static, absent)
}

// wantCertificateRefused fails the test unless the certificate that a kubelet
// makes for itself, which has only the node's name, closes the namespace of
// pods: also where its authority is given. The error says what to type, and that
// works.
func (n *node) wantCertificateRefused() {
	n.t.Helper()
	own := filepath.Join(n.Dir(), "kubelet", "certs", "kubelet.crt")
	for _, args := range [][]string{
		{"--pods", n.URL()},
		{"--pods", n.URL(), "--pods-certificate-authority", own},
	} {
		n.prune(args...).Want(n.t, 1, "could not list this node's pods from "+n.URL()+`: its certificate is for ["`+kubelet.Name+`"] and not for "127.0.0.1"`,
			"a kubelet's own certificate is only for its node's name: --pods https://NODE-NAME:10250/pods --pods-certificate-authority /var/lib/kubelet/pki/kubelet.crt")
		report := n.prune(append(args, "--format", "json")...).Want(n.t, 1).Document(n.t)
		if len(report.Refused) != 1 || report.Refused[0].ReasonCode != "pods-certificate" {
			n.t.Errorf("refused: %+v", report.Refused)
		}
	}
	user := n.CA.User("by-name")
	named := strings.Replace(n.URL(), "127.0.0.1", kubelet.Name, 1)
	n.wantNamed("--pods", named, "--pods-certificate-authority", own, "--pods-client-certificate", user.CertFile, "--pods-client-key", user.KeyFile)
}

// wantNamed fails the test unless a plan can be made where the name of the node is
// known, as on every node.
func (n *node) wantNamed(args ...string) {
	n.t.Helper()
	const script = `mount --bind "$1" /etc/hosts; shift; exec "$@"`
	hosts := n.file("hosts", "127.0.0.1 "+kubelet.Name+"\n")
	command := append([]string{"--mount", "sh", "-ec", script, "sh", hosts, n.command, "-a", "--dry-run", "-n", cri.Namespace, "--address", n.Address()}, args...)
	programs.Collect(n.t, exec.Command("unshare", command...)).Want(n.t, 0)
}

// release lets those pods start that could not.
func (n *node) release(put func(string, kubelet.Spec), absent string) {
	n.t.Helper()
	if err := os.Mkdir(absent, 0o755); err != nil {
		n.t.Fatal(err)
	}
	// Another pod, because the kubelet takes minutes to look for the folder again.
	put("mounted", mounts("docker.io/library/mounting:1", absent))
	n.AwaitContainer("mounted", "main", "running", runs)
	n.passes("starting", "gate", "main")
	again := n.Pods()["crashing"].Container("main").RestartCount
	n.AwaitContainer("crashing", "main", "running again", func(s kubelet.Status) bool { return s.RestartCount > again })
}

package apart

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

const (
	// Network is one in which there is nobody but the machine.
	Network = "10.88.0.0/16"
	// Address is that of the machine.
	Address = "10.88.0.1"
	// Bridge is the device of that network, to which others can be added.
	Bridge = "cni0"
	// inside marks the process of the tests.
	inside = "CTR_PRUNE_TESTS_APART"
)

// Services is the part of the network for services. The first is at the address of the machine.
func Services() *net.IPNet {
	return &net.IPNet{IP: net.IPv4(10, 88, 0, 0).To4(), Mask: net.CIDRMask(17, 32)}
}

// Pods is the part of it for pods, from the first address to the last.
func Pods() (first, last string) { return "10.88.128.1", "10.88.255.254" }

// machine sets everything up: mounts are shared, as with systemd; folders in which programs
// put things, wherever they are told to, are empty; and a kubelet finds the settings of the
// kernel that it wants, because it would change those of all machines. The shell stays, because
// somebody has to wait for processes whose parents have ended.
const machine = `
mount --make-rshared /
for folder in /run /var/lib /var/log; do mount -t tmpfs none $folder; done
while read -r setting value; do
	mkdir -p /run/kernel/${setting%/*}
	echo $value > /run/kernel/$setting
	mount --bind /run/kernel/$setting /proc/sys/$setting
done <<END
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
END
ip link set lo up
ip link add $BRIDGE type bridge
ip address add $ADDRESS/16 dev $BRIDGE
ip link set $BRIDGE up
"$@" || exit $?
`

// Main is a TestMain. Prepare gets what cannot be had without the network of the real
// machine. Whoever is not root has no machine, and no tests that need one.
func Main(m *testing.M, prepare func() error) {
	if os.Geteuid() != 0 || os.Getenv(inside) != "" {
		os.Exit(m.Run())
	}
	err := prepare()
	if err == nil {
		err = enter()
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// enter becomes the tests on their own machine. It only returns an error.
func enter() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	args := []string{"unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-euc", machine, "sh", self}
	env := append(os.Environ(), inside+"=yes", "BRIDGE="+Bridge, "ADDRESS="+Address)
	return syscall.Exec(unshare, append(args, os.Args[1:]...), env)
}

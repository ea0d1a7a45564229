package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/service"
)

// buildTimeout bounds the first build of the programs, which takes most of an
// hour on a busy machine.
const buildTimeout = 2 * time.Hour

// Plane is a control plane that belongs to one test. Its methods fail the test
// on errors.
type Plane struct {
	// CA issues the certificates of everybody in the cluster.
	CA *Authority
	// URL is that of the API server, where pods find it, too, if they have the network of
	// the machine: its service is on the loopback device.
	URL string

	tb      testing.TB
	dir     string
	paths   parts.Paths
	port    int // etcd's
	network *net.IPNet
	signing string // the file of the key of tokens
	service *service.Service
	admin   *http.Client
}

// Programs are those of the parts of a cluster, which are built first if need
// be.
func Programs(tb testing.TB, wanted ...parts.Part) parts.Paths {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	paths, err := parts.Ensure(ctx, wanted...)
	if err != nil {
		tb.Fatal(err)
	}
	return paths
}

// Start starts a control plane without controllers that keeps everything in a new folder dir.
func Start(tb testing.TB, dir string) *Plane {
	tb.Helper()
	p := start(tb, dir, network(tb))
	p.control()
	return p
}

// start starts etcd and an API server, which is at the first address of a network, that of
// services.
func start(tb testing.TB, dir string, services *net.IPNet) *Plane {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o711); err != nil {
		tb.Fatal(err)
	}
	p := &Plane{tb: tb, dir: dir, paths: Programs(tb, parts.Etcd, parts.APIServer), port: Ports(tb, 1)[0], network: services, CA: NewAuthority(tb, dir)}
	p.URL = "https://" + first(p.network).String()
	p.admin = p.CA.Client("admin", "system:masters")
	service.Start(tb, "etcd", filepath.Join(dir, "etcd.log"), p.etcd, func(ctx context.Context) error {
		return answers(ctx, http.DefaultClient, p.etcdURL()+"/health")
	})
	p.service = service.Start(tb, "kube-apiserver", filepath.Join(dir, "api.log"), p.apiserver(), p.ready)
	return p
}

func (p *Plane) etcdURL() string { return fmt.Sprintf("http://127.0.0.1:%d", p.port) }

func (p *Plane) etcd() *exec.Cmd {
	return exec.Command(p.paths.Bin(parts.Etcd, "server"),
		"--data-dir", filepath.Join(p.dir, "etcd"),
		"--listen-client-urls", p.etcdURL(), "--advertise-client-urls", p.etcdURL(),
		"--listen-peer-urls", "http://127.0.0.1:0",
		"--unsafe-no-fsync",
	)
}

// control makes what the controllers of a cluster make for pods: the account of those that name
// none, and the authority by which they verify the API server.
func (p *Plane) control() {
	p.tb.Helper()
	authority, err := os.ReadFile(p.CA.CertFile)
	if err != nil {
		p.tb.Fatal(err)
	}
	for _, namespace := range []string{"default", "kube-system"} {
		p.Create("/api/v1/namespaces/"+namespace+"/serviceaccounts", Object{"metadata": Object{"name": "default"}})
		p.Create("/api/v1/namespaces/"+namespace+"/configmaps", Object{
			"metadata": Object{"name": "kube-root-ca.crt"}, "data": Object{"ca.crt": string(authority)},
		})
	}
}

// apiserver is the command of the API server.
func (p *Plane) apiserver() func() *exec.Cmd {
	address := first(p.network)
	serving, toKubelet := p.CA.Server("kube-apiserver", address), p.CA.User("kube-apiserver-to-kubelet", "system:masters")
	p.signing = serving.KeyFile
	return func() *exec.Cmd {
		return exec.Command(p.paths.Bin(parts.APIServer, "kube-apiserver"),
			"--etcd-servers", p.etcdURL(),
			"--bind-address", address.String(), "--advertise-address", address.String(), "--secure-port", "443",
			"--cert-dir", p.dir, "--tls-cert-file", serving.CertFile, "--tls-private-key-file", serving.KeyFile,
			"--client-ca-file", p.CA.CertFile,
			"--kubelet-certificate-authority", p.CA.CertFile, "--kubelet-preferred-address-types", "InternalIP",
			"--kubelet-client-certificate", toKubelet.CertFile, "--kubelet-client-key", toKubelet.KeyFile,
			"--service-account-issuer", p.URL,
			"--service-account-key-file", serving.KeyFile, "--service-account-signing-key-file", serving.KeyFile,
			"--service-cluster-ip-range", p.network.String(), "--endpoint-reconciler-type", "none",
			"--authorization-mode", "Node,RBAC",
			"--enable-admission-plugins", "NodeRestriction",
		)
	}
}

// ready says whether the API server is, and has made the namespace of pods, which
// it does later.
func (p *Plane) ready(ctx context.Context) error {
	if err := answers(ctx, p.admin, p.URL+"/readyz"); err != nil {
		return err
	}
	return errors.Join(answers(ctx, p.admin, p.URL+"/api/v1/namespaces/default"), answers(ctx, p.admin, p.URL+"/api/v1/namespaces/kube-system"))
}

// KillAPI ends the API server, which then refuses every connection.
func (p *Plane) KillAPI() { p.tb.Helper(); p.service.Kill() }

// StartAPI starts the API server again.
func (p *Plane) StartAPI() { p.tb.Helper(); p.service.Up(p.ready) }

// answers returns an error unless a URL can be read.
func answers(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}

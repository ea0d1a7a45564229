package cluster

import (
	"context"
	"fmt"
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
	// URL is that of the API server.
	URL string

	tb      testing.TB
	dir     string
	paths   parts.Paths
	ports   []int
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

// Start starts a control plane that keeps everything in a new folder dir.
func Start(tb testing.TB, dir string) *Plane {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o711); err != nil {
		tb.Fatal(err)
	}
	p := &Plane{tb: tb, dir: dir, paths: Programs(tb, parts.Etcd, parts.APIServer), ports: Ports(tb, 2), CA: NewAuthority(tb, dir)}
	p.URL = fmt.Sprintf("https://127.0.0.1:%d", p.ports[1])
	p.admin = p.CA.Client("admin", "system:masters")
	service.Start(tb, "etcd", filepath.Join(dir, "etcd.log"), p.etcd, func(ctx context.Context) error {
		return answers(ctx, http.DefaultClient, p.etcdURL()+"/health")
	})
	p.service = service.Start(tb, "kube-apiserver", filepath.Join(dir, "api.log"), p.apiserver(), p.ready)
	return p
}

func (p *Plane) etcdURL() string { return fmt.Sprintf("http://127.0.0.1:%d", p.ports[0]) }

func (p *Plane) etcd() *exec.Cmd {
	return exec.Command(p.paths.Bin(parts.Etcd, "server"),
		"--data-dir", filepath.Join(p.dir, "etcd"),
		"--listen-client-urls", p.etcdURL(), "--advertise-client-urls", p.etcdURL(),
		"--listen-peer-urls", "http://127.0.0.1:0",
		"--unsafe-no-fsync",
	)
}

// apiserver is the command of the API server. There are no service accounts in
// pods, because nobody creates them.
func (p *Plane) apiserver() func() *exec.Cmd {
	serving := p.CA.Server("kube-apiserver")
	return func() *exec.Cmd {
		return exec.Command(p.paths.Bin(parts.APIServer, "kube-apiserver"),
			"--etcd-servers", p.etcdURL(),
			"--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", fmt.Sprint(p.ports[1]),
			"--cert-dir", p.dir, "--tls-cert-file", serving.CertFile, "--tls-private-key-file", serving.KeyFile,
			"--client-ca-file", p.CA.CertFile,
			"--service-account-issuer", p.URL,
			"--service-account-key-file", serving.KeyFile, "--service-account-signing-key-file", serving.KeyFile,
			"--service-cluster-ip-range", "10.96.0.0/24", "--endpoint-reconciler-type", "none",
			"--authorization-mode", "Node,RBAC",
			"--enable-admission-plugins", "NodeRestriction", "--disable-admission-plugins", "ServiceAccount",
		)
	}
}

// ready says whether the API server is, and has made the namespace of pods, which
// it does later.
func (p *Plane) ready(ctx context.Context) error {
	if err := answers(ctx, p.admin, p.URL+"/readyz"); err != nil {
		return err
	}
	return answers(ctx, p.admin, p.URL+"/api/v1/namespaces/default")
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

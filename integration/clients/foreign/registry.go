package foreign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/service"
)

// Registry is a real registry on the loopback, which belongs to one test.
type Registry struct {
	// Host is what the names of its images begin with, such as "127.0.0.1:5000".
	Host string
}

// StartRegistry starts the program of a registry with its files in a new folder.
func StartRegistry(tb testing.TB, program, dir string) Registry {
	tb.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	r := Registry{Host: fmt.Sprintf("127.0.0.1:%d", cluster.Ports(tb, 1)[0])}
	config := fmt.Sprintf("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: %q\nhttp:\n  addr: %s\n", filepath.Join(dir, "data"), r.Host)
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	service.Start(tb, "docker-registry", filepath.Join(dir, "log"), func() *exec.Cmd { return exec.Command(program, "serve", file) }, func(ctx context.Context) error {
		_, err := r.get(ctx, "")
		return err
	})
	return r
}

// CheckBlob returns an error unless a repository has a blob whose bytes are those
// of its digest.
func (r Registry) CheckBlob(ctx context.Context, repository string, blob digest.Digest) error {
	body, err := r.get(ctx, repository+"/blobs/"+blob.String())
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != blob.Encoded() {
		return fmt.Errorf("blob %s of %s has other bytes", blob, repository)
	}
	return nil
}

func (r Registry) get(ctx context.Context, path string) ([]byte, error) {
	url := "http://" + r.Host + "/v2/" + path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

package cluster

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Kubeconfig writes the file with which a program reaches an API server as a user
// with some groups, and returns its path.
func (a *Authority) Kubeconfig(server, user string, groups ...string) string {
	a.tb.Helper()
	pair := a.User(user, groups...)
	text, err := json.Marshal(Object{
		"kind": "Config", "apiVersion": "v1", "current-context": "test",
		"clusters": []Object{{"name": "test", "cluster": Object{"server": server, "certificate-authority": a.CertFile}}},
		"users":    []Object{{"name": user, "user": Object{"client-certificate": pair.CertFile, "client-key": pair.KeyFile}}},
		"contexts": []Object{{"name": "test", "context": Object{"cluster": "test", "user": user}}},
	})
	if err != nil {
		a.tb.Fatal(err)
	}
	path := filepath.Join(a.dir, user+".kubeconfig")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		a.tb.Fatal(err)
	}
	return path
}

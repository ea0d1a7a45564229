//go:build cluster

package kubelet_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// month is longer than any time of the chart's policy.
const month = 30 * 24 * time.Hour

// age lets everything in the store be a month old, and use have been watched for so long, as if
// the product had been there before: it keeps its state on the node.
func (n *node) age() {
	n.t.Helper()
	n.watched()
	n.Stop()
	if err := backdate(filepath.Join(n.Root(), "io.containerd.metadata.v1.bolt", "meta.db")); err != nil {
		n.t.Fatalf("making the store older: %v", err)
	}
	n.Up()
	n.Ready()
}

// backdate moves the times of a database of containerd's.
func backdate(file string) error {
	db, err := bbolt.Open(file, 0o644, &bbolt.Options{Timeout: time.Minute})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return backdateIn(b) })
	})
}

func backdateIn(b *bbolt.Bucket) error {
	for _, key := range []string{"createdat", "updatedat"} {
		var at time.Time
		if at.UnmarshalBinary(b.Get([]byte(key))) != nil {
			continue // it has none
		}
		older, err := at.Add(-month).MarshalBinary()
		if err == nil {
			err = b.Put([]byte(key), older)
		}
		if err != nil {
			return err
		}
	}
	return b.ForEachBucket(func(name []byte) error { return backdateIn(b.Bucket(name)) })
}

// watched lets the command watch the store for a moment, and makes a month of that.
func (n *node) watched() {
	n.t.Helper()
	config := n.file("config.yaml", "version: 1\nrules: []\nserve: {namespaces: [k8s.io], listen: none, state: "+standardState+"}\n")
	resident := programs.Start(n.t, n.command, "serve", "--config", config, "--address", n.Address(), "--docker-host", "/nonexistent")
	var files []string
	n.Await("use to be watched", func(context.Context) (found bool, err error) {
		files, err = filepath.Glob(standardState + "/*/use.json")
		return len(files) == 1, err
	})
	resident.Signal(syscall.SIGTERM)
	if code, signal := resident.End(); code != 0 {
		n.t.Fatalf("the resident ended with %d, %v:\n%s", code, signal, resident.Stderr())
	}
	if err := rewrite(files[0]); err != nil {
		n.t.Fatal(err)
	}
}

// rewrite lets what is known of use begin a month ago.
func rewrite(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var use map[string]any
	if err := json.Unmarshal(text, &use); err != nil {
		return err
	}
	use["since"] = time.Now().Add(-month)
	targets, _ := use["targets"].([]any)
	for _, t := range targets {
		t.(map[string]any)["seen"] = use["since"]
	}
	if text, err = json.Marshal(use); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

package workloads_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/workloads"
)

// What kubectl prints of a cluster becomes a file of patterns, sorted, each once: of
// CronJobs and Jobs, of init containers and of images that are mounted, and not of Jobs
// that have ended. The order of the list does not matter.
func TestConvert(t *testing.T) {
	want := `docker.io/library/busybox:1.36  # deployment shop/web, statefulset data/postgres
docker.io/library/postgres:17  # statefulset data/postgres
ghcr.io/acme/model@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef  # deployment shop/web
ghcr.io/acme/report:2026-11  # cronjob shop/report
ghcr.io/acme/web:v3  # deployment shop/web
quay.io/acme/agent:latest  # daemonset kube-system/agent
registry.example:5000/migrate:v3  # job shop/migrate
sha256:e4720093a3c1381245b53a5a51b417963b3c4472d3f47fc301930a4f3b17666a  # daemonset kube-system/agent
`
	var got bytes.Buffer
	if err := workloads.Convert(filepath.Join("testdata", "cluster.json"), nil, &got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("it writes\n%s", got.String())
	}
	text, err := os.ReadFile(filepath.Join("testdata", "cluster.json"))
	if err != nil {
		t.Fatal(err)
	}
	got.Reset()
	if err := workloads.Convert("-", bytes.NewReader(text), &got); err != nil || got.String() != want {
		t.Errorf("from stdin it writes %v\n%s", err, got.String())
	}
}

// Lists of one kind do not say the kind of each, and one object is no list.
func TestOtherLists(t *testing.T) {
	const template = `"metadata":{"namespace":"a","name":"b"},"spec":{"template":{"spec":{"containers":[{"image":"nginx"}]}}}`
	for text, who := range map[string]string{
		`{"kind":"DeploymentList","items":[{` + template + `}]}`:                                              "deployment a/b",
		`{"kind":"ReplicaSet",` + template + `}`:                                                              "replicaset a/b",
		`{"kind":"Pod","metadata":{"name":"b"},"spec":{"ephemeralContainers":[{"image":"docker.io/nginx"}]}}`: "pod b",
	} {
		var got bytes.Buffer
		err := workloads.Convert("-", strings.NewReader(text), &got)
		if want := "docker.io/library/nginx:latest  # " + who + "\n"; err != nil || got.String() != want {
			t.Errorf("%s: %v, %q", text, err, got.String())
		}
	}
}

// Many that need an image are counted, and no name ends the comment.
func TestComments(t *testing.T) {
	needs := workloads.Needs{"a:1": {"pod x/4", "pod x/3", "pod x/2", "pod x/1", "pod x/1"}, "b:1": {"pod x/\nevil"}}
	var got bytes.Buffer
	if err := needs.Write(&got); err != nil || got.String() != "a:1  # pod x/1, pod x/2, pod x/3, and 1 more\nb:1  # pod x/?evil\n" {
		t.Errorf("%v, %q", err, got.String())
	}
}

// What is no list of workloads is one sentence that says what to give, and writes
// nothing.
func TestBadInput(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "stdin: there is nothing in it",
		"NAME READY\nweb 1/1\n":            "stdin: this is not what kubectl get -o json prints",
		`{"kind":"List"`:                   "stdin: this is not what kubectl get -o json prints",
		`{"kind":"List","items":[]}{}`:     "stdin: something follows the list",
		`{"kind":"Service","metadata":{}}`: `stdin: "service " makes no pods`,
		`{"kind":"List","items":[{"kind":"ConfigMap","metadata":{"namespace":"a","name":"b"}}]}`:                                `stdin: "configmap a/b" makes no pods`,
		`{"kind":"Pod","metadata":{"name":"b"},"spec":{"containers":[{"image":"UPPER CASE"}]}}`:                                 `stdin: pod b has an image "UPPER CASE" that is not a name`,
		`{"kind":"Pod","metadata":{"name":"b"},"spec":{"containers":[{"image":"ok"}],"volumes":[{"image":{"reference":":"}}]}}`: `stdin: pod b has an image ":" that is not a name`,
	} {
		var got bytes.Buffer
		err := workloads.Convert("-", strings.NewReader(text), &got)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") || got.Len() > 0 {
			t.Errorf("%s: %v, %q", text, err, got.String())
		}
	}
	if err := workloads.Convert(filepath.Join(t.TempDir(), "none"), nil, &bytes.Buffer{}); !os.IsNotExist(err) {
		t.Errorf("a file that is missing: %v", err)
	}
}

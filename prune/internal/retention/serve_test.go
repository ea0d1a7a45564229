package retention_test

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"

	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
)

// Every key of the section for a resident is read.
func TestServeOfTheExample(t *testing.T) {
	policy := tw.Must(retention.Parse("example.yaml", tw.Must(os.ReadFile("testdata/good/example.yaml"))))
	age := func(typed string) retention.Age { return tw.Must(retention.ParseAge(typed)) }
	want := retention.Serve{
		Every: age("6h"), Jitter: age("10m"), Grace: age("24h"), Namespaces: []string{"k8s.io"},
		Listen: "127.0.0.1:9745", State: "/var/lib/ctr-prune", Pods: "none", Events: true, KubeletCheck: true,
		Windows: []retention.Window{
			{Days: [7]bool{false, true, true, true, true, true, false}, From: 22 * time.Hour, To: 6 * time.Hour, Zone: "Europe/Berlin", Typed: "Mon-Fri 22:00-06:00 Europe/Berlin"},
			{Days: [7]bool{true, false, false, false, false, false, true}, To: 24 * time.Hour, Typed: "Sat,Sun 00:00-24:00"},
		},
	}
	if diff := cmp.Diff(want, policy.Serve); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestServeSpellings(t *testing.T) {
	for text, want := range map[string]retention.Serve{
		"{namespaces: all}":                       {AllNamespaces: true},
		"{listen: none}":                          {Listen: retention.NoListen},
		"{pods: {source: apiserver, every: 20m}}": {Pods: "apiserver", PodsEvery: retention.Age{Length: 20 * time.Minute, Typed: "20m"}},
		"{windows: [Fri-Mon 23:30-00:15 UTC]}": {Windows: []retention.Window{
			{Days: [7]bool{true, true, false, false, false, true, true}, From: 23*time.Hour + 30*time.Minute, To: 15 * time.Minute, Zone: "UTC", Typed: "Fri-Mon 23:30-00:15 UTC"}}},
	} {
		policy := tw.Must(retention.Parse("p", []byte("version: 1\nserve: "+text+"\n")))
		if diff := cmp.Diff(want, policy.Serve); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

package serve

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

const deploy = "../../../deploy"

// promtool is Prometheus' own judge.
func promtool(t *testing.T) string {
	t.Helper()
	return program(t, parts.Promtool, "promtool")
}

// program is one of the distribution's, which is installed first if it is missing. A test
// whose judge cannot be had fails with what to do, because nobody would miss it otherwise.
func program(t *testing.T, part parts.Part, name string) string {
	t.Helper()
	paths, err := parts.Ensure(t.Context(), part)
	if err != nil {
		t.Fatal(err)
	}
	return paths.Bin(part, name)
}

// metric finds names of metrics.
var metric = regexp.MustCompile(`\bctr_prune_[a-z_]+`)

// Prometheus finds nothing wrong with the metrics of a resident, and all that the
// rules, the dashboard and docs/serve.md name are there.
func TestMetrics(t *testing.T) {
	program := promtool(t)
	n := newNode(t, daemon.Options{Mount: disk(64 << 20)}) // that of this machine may be full
	n.use("c1", n.images("used", "a")[0])                  // so that an image is left
	address := freeAddress(t)
	n.must(os.WriteFile(n.config(), []byte(everything+"disk: {high: 99%, critical: 100%}\nserve: {listen: '"+address+"', state: "+n.state()+"}\n"), 0o600))
	r := n.serve(n.daemon.Address(), false)
	r.await("msg=containerd answers")
	r.run(t)
	r.await("msg=a run ended", "result=done")
	_, text := page(t, address, "/metrics")
	n.wantSeries(text)
	cmd := exec.Command(program, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("promtool: %v\n%s", err, said)
	}
	for _, file := range []string{deploy + "/prometheus/rules.yaml", deploy + "/grafana/dashboard.json", "../../../docs/serve.md"} {
		named, err := os.ReadFile(file)
		n.must(err)
		for _, name := range metric.FindAllString(string(named), -1) {
			name = strings.TrimSuffix(name, "_bucket")
			if !strings.Contains(text, "# TYPE "+name+" ") && name != "ctr_prune_client_errors_total" && name != "ctr_prune_restored_total" {
				t.Errorf("%s names %s, which no resident has:\n%s", filepath.Base(file), name, strings.Join(r.said, "\n"))
			}
		}
	}
	r.signal(syscall.SIGTERM)
	r.ends(0)
}

// series is how many docs/fleet.md says that there are on such a node.
var series = regexp.MustCompile(`less than (\d+) series`)

// wantSeries fails the test unless there are at most as many series as fleets are told
// of, and not far fewer.
func (n *node) wantSeries(text string) {
	n.Helper()
	doc, err := os.ReadFile("../../../docs/fleet.md")
	n.must(err)
	told, count := series.FindSubmatch(doc), 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			count++
		}
	}
	if want, err := strconv.Atoi(string(told[1])); err != nil || count > want || count < want*3/4 {
		n.Errorf("there are %d series, docs/fleet.md says %s", count, told[1])
	}
}

// The alerts come when they are to come, and only then.
func TestRules(t *testing.T) {
	program := promtool(t)
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "rules_test.yaml"}} {
		cmd := exec.Command(program, args...)
		cmd.Dir = deploy + "/prometheus"
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
		}
	}
}

func TestDashboardIsJSON(t *testing.T) {
	text, err := os.ReadFile(deploy + "/grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct{ Panels []struct{ Title string } }
	if err := json.Unmarshal(text, &dashboard); err != nil || len(dashboard.Panels) < 5 {
		t.Errorf("%d panels, %v", len(dashboard.Panels), err)
	}
}

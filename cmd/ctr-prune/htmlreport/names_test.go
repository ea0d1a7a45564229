package htmlreport

import (
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

func TestSplit(t *testing.T) {
	hex := strings.Repeat("ab", 32)
	b := &builder{page: Page{Usage: &prune.DiskUsage{Store: prune.StoreInfo{Snapshotters: []string{"overlayfs"}}}}}
	for name, want := range map[string]parts{
		"docker.io/library/nginx:1.29":                  {"docker.io", "library", "nginx", "1.29"},
		"registry.example.com/shop/web:1.0":             {"registry.example.com", "shop", "web", "1.0"},
		"registry.example.com/shop/back/api:1":          {"registry.example.com", "shop", "back/api", "1"},
		"registry.example.com:5000/web":                 {"registry.example.com:5000", "", "web", ""},
		"registry.example.com/shop/web@sha256:" + hex:   {"registry.example.com", "shop", "web", "abababababab"},
		"registry.example.com/shop/web:1@sha256:" + hex: {"registry.example.com", "shop", "web", "1"},
		"moby-dangling@sha256:" + hex:                   {"", "", "untagged", "abababababab"},
		"overlayfs@sha256:" + hex:                       {"", "", "untagged", "abababababab"},
		"<none>@sha256:" + hex:                          {"", "", "untagged", "abababababab"},
		"sha256:" + hex:                                 {"", "", "untagged", "abababababab"},
		"Not A\nReference":                              {"", "", `Not A\nReference`, ""},
		"":                                              {"", "", "", ""},
	} {
		if got := b.split(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestBestName(t *testing.T) {
	names := []string{"sha256:0123", "quay.io/a@sha256:0123", "quay.io/a:1", "quay.io/b:1"}
	if got := best(names); got != "quay.io/a:1" {
		t.Error(got)
	}
	if got := best(nil); got != "" {
		t.Error(got)
	}
}

package htmlreport

import (
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	hex := strings.Repeat("ab", 32)
	for name, want := range map[string][2]string{
		"docker.io/library/nginx:1.29":                  {"nginx", "1.29"},
		"registry.example.com/shop/web:1.0":             {"registry.example.com/shop/web", "1.0"},
		"registry.example.com/shop/web@sha256:" + hex:   {"registry.example.com/shop/web", "abababababab"},
		"registry.example.com/shop/web:1@sha256:" + hex: {"registry.example.com/shop/web", "1"},
		"moby-dangling@sha256:" + hex:                   {"moby-dangling", "abababababab"},
		"<none>@sha256:" + hex:                          {"<none>", "abababababab"},
		"sha256:" + hex:                                 {"image IDs", "abababababab"},
		"Not A\nReference":                              {`Not A\nReference`, ""},
		"":                                              {"", ""},
	} {
		repository, rest := split(name)
		if got := [2]string{repository, rest}; got != want {
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

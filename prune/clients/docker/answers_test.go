package docker

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ctr-prune/ctr-prune/prune"
)

// saying is an Engine whose answers are given, by the end of their path.
func saying(t *testing.T, texts map[string]string) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.50")
		for end, text := range texts {
			if strings.HasSuffix(r.URL.Path, end) {
				_, _ = w.Write([]byte(text))
			}
		}
	})}}
	server.Start()
	t.Cleanup(server.Close)
	return socket
}

// An answer that other programs may read in another way is an error.
func TestAmbiguousAnswers(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	info := `{"Containers": 1, "DriverStatus": [["driver-type", "` + imageStore + `"]], "Containerd": {"Address": "$", "Namespaces": {"Containers": "moby", "Plugins": "plugins.moby"}}}`
	list := `[{"Id": "` + id + `", "Image": "app:1", "ImageID": "` + target.String() + `", "State": "created"}]`
	for name, c := range map[string]struct{ info, list, want string }{
		"sound":                     {info, list, ""},
		"an ID twice":               {info, strings.Replace(list, `"Id"`, `"Id": "x", "Id"`, 1), `it has the key "Id" twice in [0]`},
		"an image in another case":  {info, strings.Replace(list, `"ImageID"`, `"ImageID": "x", "imageid"`, 1), `"imageid" in [0], which some programs read as "ImageID"`},
		"a count twice":             {strings.Replace(info, `{`, `{"Containers": 1, `, 1), list, `it has the key "Containers" twice`},
		"a namespace, another case": {strings.Replace(info, `"Plugins"`, `"containers"`, 1), list, `"containers" in Containerd.Namespaces`},
	} {
		t.Run(name, func(t *testing.T) {
			store := filepath.Join(t.TempDir(), "c.sock")
			l, err := net.Listen("unix", store)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			host := saying(t, map[string]string{"/info": strings.ReplaceAll(c.info, "$", store), "/containers/json": c.list})
			s, err := New(host, fakeStore{socket: store, held: map[string]bool{id: true}})
			if err != nil {
				t.Fatal(err)
			}
			uses, covered, err := s.Uses(t.Context(), prune.Asked{Namespace: traces(id)})
			if c.want == "" && (err != nil || !covered || len(uses) != 1) {
				t.Errorf("got %v, %v, %v", uses, covered, err)
			}
			if c.want != "" && (covered || err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, %v, %v, want %q", uses, covered, err, c.want)
			}
		})
	}
}

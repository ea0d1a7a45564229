package html

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

var storeImages = flag.Int("images", 144, "how many images the store of TestRealStore has")

// TestRealStore lets the command write the page of a store on the disk: every image is
// in it, areas are sizes, layers say where they come from, the machine is named, and
// the file belongs to who called sudo.
func TestRealStore(t *testing.T) {
	root, path := filepath.Join(t.TempDir(), "root"), filepath.Join(t.TempDir(), "page.html")
	e, err := imagestore.OpenEmbedded(t.Context(), root, "native")
	if err != nil {
		t.Fatal(err)
	}
	b, made := imagestore.New(7), 0
	for _, where := range estate {
		for v := 0; made < *storeImages && v <= *storeImages*where.weight/100; v++ {
			made++
			name := fmt.Sprintf("%s:"+where.tag, where.repository, v)
			if err := e.Store(where.space).Add(context.Background(), b.Image(imagestore.Spec{Name: name})); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	said := programs.Run(t, []string{"SUDO_UID=1234", "SUDO_GID=1234"}, programs.Build(t), "df", "--root", root, "--html", path)
	if said.Code != 0 {
		t.Fatalf("%+v", said)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d images: %d bytes", made, info.Size())
	s := openFile(t, path)
	if got := strings.ReplaceAll(eval[string](s, `document.getElementById("count").textContent`), ",", ""); got != fmt.Sprintf("%d images", made) {
		t.Errorf("the page has %s, the store %d", got, made)
	}
	s.window(1280)
	checkAreas(s, "a real store")
	if wrong := eval[[]string](s, misplaced); len(wrong) > 0 {
		t.Errorf("%d labels: %s", len(wrong), wrong[0])
	}
	host, err := os.Hostname()
	if got := eval[string](s, `document.getElementById("host").textContent`); err != nil || got != host {
		t.Errorf("the machine is %q, %v", got, err)
	}
	if text := eval[string](s, `document.getElementById("data").textContent`); !strings.Contains(text, "copy files 0") {
		t.Error("no layer says where it comes from")
	}
}

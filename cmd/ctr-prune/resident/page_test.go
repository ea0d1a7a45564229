package resident

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// page is what is shown to who asks now.
func (n *node) page() string {
	n.t.Helper()
	var b strings.Builder
	if err := n.resident.Page(n.t.Context())(&b); err != nil {
		n.t.Fatal(err)
	}
	return b.String()
}

func (n *node) shows(texts ...string) {
	n.t.Helper()
	page := n.page()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			n.t.Errorf("the page lacks %s", text)
		}
	}
}

// read is when the store was read for what the page shows.
func (n *node) read() time.Time {
	n.resident.page.mu.Lock()
	defer n.resident.page.mu.Unlock()
	return n.resident.page.read
}

// The page shows what the next run would do, and after a run what is left; the store is
// read for it when somebody asks, once for all who do, and not more often than once a
// minute.
func TestPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 3, ", every: 6h")
		n.start()
		if !n.read().IsZero() {
			t.Error("the store was read for a page that nobody wants")
		}
		n.shows(`"title":"What the next run would do"`, `"host":"node-1"`, `docker.io/library/c:1`, `copy files 0`, `"why":"idle until the next run at`, `"runs":[]`)
		first := n.read()
		sleep(30 * time.Second)
		n.shows(`"read":"` + first.UTC().Format(time.RFC3339))
		if !n.read().Equal(first) {
			t.Error("the store was read again at once")
		}
		sleep(time.Hour)
		if !n.read().Equal(first) {
			t.Error("the store was read although nobody asked")
		}
		var asking sync.WaitGroup
		for range 10 {
			asking.Go(func() { n.page() })
		}
		asking.Wait()
		if again := n.read(); again.Sub(first) < time.Hour || n.resident.page.next.Sub(again) < pageFresh {
			t.Errorf("read at %v, then at %v", first, again)
		}
		sleep(6 * time.Hour) // a run
		n.shows(`"trigger":"schedule"`, `"result":"done"`, `"removed":3`)
		if strings.Contains(n.page(), `docker.io/library/c:1`) {
			t.Error("the page shows what is gone")
		}
		n.stop()
	})
}

// Without containerd the page says so, and shows what was read before with its age.
func TestPageWithoutContainerd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, "")
		n.answers(errors.New("connection refused"), nil)
		n.start()
		n.shows(`"title":"The store has not been read yet"`, `containerd does not answer: connection refused`)
		n.answers(nil, nil)
		sleep(time.Minute)
		n.shows(`docker.io/library/a:1`)
		n.stop()
	})
}

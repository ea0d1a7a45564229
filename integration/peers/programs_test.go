package peers

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/moby/moby/client"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// program removes all images of a scene that nothing uses.
type program struct {
	name, short string
	// run returns how many bytes the program says it reclaimed, or silent.
	run  func(*testing.T, *scene) int64
	ours bool
}

// silent is what a program claims that says nothing of bytes.
const silent = -1

func ours(t *testing.T, s *scene) int64 {
	args := []string{"--address", s.Address(), "--namespace", s.namespace, "-a", "-f", "--format", "json"}
	if s.engine != nil {
		args = append(args, "--docker-host", "unix://"+s.engine.Socket())
	}
	done := programs.Run(t, nil, command, args...)
	if done.Code != 0 {
		t.Fatalf("ctr-prune ended with %d: %s", done.Code, done.Stderr)
	}
	var doc prune.Document
	if err := json.Unmarshal([]byte(done.Stdout), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Reclaimed.TotalBytes
}

func ctr(t *testing.T, s *scene) int64 {
	done := programs.Run(t, nil, s.Ctr(), "--address", s.Address(), "--namespace", s.namespace, "images", "prune", "--all")
	if done.Code != 0 {
		t.Fatalf("ctr ended with %d: %s", done.Code, done.Stderr)
	}
	return silent
}

// rmiPrune makes the calls that crictl makes: of all images those go that are
// neither pinned nor what the image of a container, as it was asked for, is
// found to be now. An error of one removal stops nothing.
func rmiPrune(t *testing.T, s *scene) int64 {
	ctx := t.Context()
	list, err := s.node.Images.ListImages(ctx, &runtime.ListImagesRequest{})
	s.must(t, err)
	containers, err := s.node.Runtime.ListContainers(ctx, &runtime.ListContainersRequest{})
	s.must(t, err)
	used := make(map[string]bool)
	for _, c := range containers.GetContainers() {
		img, err := s.node.Status(ctx, c.GetImage().GetImage())
		s.must(t, err)
		used[img.GetId()] = true
	}
	for _, img := range list.GetImages() {
		if img.GetPinned() || used[img.GetId()] {
			continue
		}
		if err := s.remove(ctx, img.GetId()); err != nil {
			t.Logf("CRI did not remove %s: %v", img.GetId(), err)
		}
	}
	return silent
}

// remove looks at the image first, whose names crictl prints.
func (s *scene) remove(ctx context.Context, id string) error {
	if _, err := s.node.Status(ctx, id); err != nil {
		return err
	}
	_, err := s.node.Images.RemoveImage(ctx, &runtime.RemoveImageRequest{Image: &runtime.ImageSpec{Image: id}})
	return err
}

func imagesPrune(t *testing.T, s *scene) int64 {
	done, err := s.engine.API.ImagePrune(t.Context(), client.ImagePruneOptions{
		Filters: make(client.Filters).Add("dangling", "false"),
	})
	s.must(t, err)
	return int64(done.Report.SpaceReclaimed)
}

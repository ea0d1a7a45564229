package daemon_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"
)

func TestParseCRIImage(t *testing.T) {
	message := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "sha256:id")
	message = protowire.AppendString(protowire.AppendTag(message, 2, protowire.BytesType), "repo:tag")
	message = protowire.AppendVarint(protowire.AppendTag(message, 4, protowire.VarintType), 77)
	message = protowire.AppendString(protowire.AppendTag(message, 3, protowire.BytesType), "repo@digest")
	got, err := daemon.ParseCRIImage(message)
	if diff := cmp.Diff(store.CRIImage{ID: "sha256:id", Refs: []string{"repo:tag", "repo@digest"}}, got); diff != "" || err != nil {
		t.Errorf("parseCRIImage: %v\n%s", err, diff)
	}
	for name, garbled := range map[string][]byte{
		"half of it":   message[:len(message)-3],
		"no ID":        message[11:],
		"another kind": []byte("\xff\xff\xff"),
	} {
		if image, err := daemon.ParseCRIImage(garbled); err == nil {
			t.Errorf("%s: read as %+v", name, image)
		}
	}
}

func TestParseCRISandbox(t *testing.T) {
	text := func(message []byte, field protowire.Number, value string) []byte {
		return protowire.AppendString(protowire.AppendTag(message, field, protowire.BytesType), value)
	}
	number := func(message []byte, field protowire.Number, value uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(message, field, protowire.VarintType), value)
	}
	pod := text(text(text(number(nil, 4, 3), 1, "a"), 2, "uid-a"), 3, "default")
	made := time.Unix(1767225600, 0)
	message := text(text(number(nil, 4, uint64(made.UnixNano())), 1, "a"), 2, string(pod))
	for state, ready := range map[uint64]bool{0: true, 1: false} {
		got, err := daemon.ParseCRISandbox(number(message, 3, state))
		want := store.CRISandbox{PodSandbox: store.PodSandbox{ID: "a", Namespace: "default", Name: "a", UID: "uid-a", CreatedAt: made}, Ready: ready}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(store.CRISandbox{})); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	for _, broken := range [][]byte{nil, message[:len(message)-1], text(nil, 2, string(pod)), text(text(nil, 1, "a"), 2, "\xff")} {
		if got, err := daemon.ParseCRISandbox(broken); err == nil {
			t.Errorf("%x is sandbox %+v", broken, got)
		}
	}
}

package daemon_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"
)

// What CRI answers is taken apart by hand: nothing is read past the end, and
// what was read can be written and read again.
func FuzzCRIAnswer(f *testing.F) {
	f.Fuzz(func(t *testing.T, message []byte) {
		seen := 0
		// An error may come after fields that were whole.
		_ = daemon.EachField(message, func(_ protowire.Number, value []byte) error {
			seen += len(value)
			return nil
		})
		if seen > len(message) {
			t.Fatalf("%d bytes of %d", seen, len(message))
		}
		image, err := daemon.ParseCRIImage(message)
		if err != nil {
			return
		}
		text := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), image.ID)
		for _, ref := range image.Refs {
			text = protowire.AppendString(protowire.AppendTag(text, 2, protowire.BytesType), ref)
		}
		back, err := daemon.ParseCRIImage(text)
		if err != nil || image.ID == "" {
			t.Fatalf("%+v is read back with %v", image, err)
		}
		if diff := cmp.Diff(image, back); diff != "" {
			t.Errorf("written and read again (-first +again):\n%s", diff)
		}
	})
}

package daemon

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// CRIConn speaks CRI's ImageService, version v1, which containerd serves on
// its own socket. The messages are taken apart by their field numbers: two
// small ones do not justify linking all of CRI's generated API.
type CRIConn struct{ Conn grpc.ClientConnInterface }

// Images lists the images that CRI shows.
func (c CRIConn) Images(ctx context.Context) ([]store.CRIImage, error) {
	return c.call(ctx, "ListImages", nil)
}

// Image looks up one that CRI shows by a name or an ID; false if there is none.
func (c CRIConn) Image(ctx context.Context, name string) (store.CRIImage, bool, error) {
	spec := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
	request := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), spec)
	found, err := c.call(ctx, "ImageStatus", request)
	if err != nil || len(found) == 0 {
		return store.CRIImage{}, false, err
	}
	return found[0], true, nil
}

// ask sends a request to one of CRI's services and returns the answer. A
// message without fields of its own carries any other.
func (c CRIConn) ask(ctx context.Context, service, method string, request []byte) ([]byte, error) {
	in, out := &emptypb.Empty{}, &emptypb.Empty{}
	in.ProtoReflect().SetUnknown(request)
	if err := c.Conn.Invoke(ctx, "/runtime.v1."+service+"/"+method, in, out); err != nil {
		return nil, fmt.Errorf("asking CRI (%s): %w", method, errgrpc.ToNative(err))
	}
	return out.ProtoReflect().GetUnknown(), nil
}

// call reads the images of an answer, which both methods have in field 1.
func (c CRIConn) call(ctx context.Context, method string, request []byte) ([]store.CRIImage, error) {
	answer, err := c.ask(ctx, "ImageService", method, request)
	if err != nil {
		return nil, err
	}
	var found []store.CRIImage
	err = EachField(answer, func(field protowire.Number, value []byte) error {
		if field != 1 {
			return nil
		}
		image, err := ParseCRIImage(value)
		found = append(found, image)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the answer of CRI (%s): %w", method, err)
	}
	return found, nil
}

// ParseCRIImage reads the fields id, repo_tags and repo_digests.
func ParseCRIImage(message []byte) (image store.CRIImage, err error) {
	err = EachField(message, func(field protowire.Number, value []byte) error {
		switch field {
		case 1:
			image.ID = string(value)
		case 2, 3:
			image.Refs = append(image.Refs, string(value))
		}
		return nil
	})
	if err == nil && image.ID == "" {
		err = fmt.Errorf("an image without ID: %w", errdefs.ErrDataLoss)
	}
	return image, err
}

// EachField calls visit for every length-delimited field of a message.
func EachField(message []byte, visit func(protowire.Number, []byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		size := protowire.ConsumeFieldValue(field, kind, message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		if value, n := protowire.ConsumeBytes(message); kind == protowire.BytesType && n >= 0 {
			if err := visit(field, value); err != nil {
				return err
			}
		}
		message = message[size:]
	}
	return nil
}

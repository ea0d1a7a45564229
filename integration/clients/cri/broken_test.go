package cri_test

import (
	"context"
	"strings"
	"testing"

	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

const criExtension = "io.cri-containerd.container.metadata"

// What a real container of a pod says of its image is damaged.
func TestCRIMetadataThatDoesNotDecodeClosesTheNamespace(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		n.Pulled("docker.io/library/app", "1")
		n.Pulled("docker.io/library/unused", "1")
		id := n.Pod("api").Run(cri.Container{Name: "app", Image: "app:1"})
		s := n.Store(cri.Namespace)
		ctx := s.Context(t.Context())
		record, err := s.Client.ContainerService().Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		whole := record.Extensions[criExtension].GetValue()
		for name, value := range map[string]string{
			"half of it":       string(whole[:len(whole)/2]),
			"nothing":          "",
			"not JSON":         "\x00\xff",
			"a later version":  strings.Replace(string(whole), `"Version":"v1"`, `"Version":"v9"`, 1),
			"an image that is": strings.Replace(string(whole), `"ImageRef":"sha256:`, `"ImageRef":"sha0:`, 1),
		} {
			t.Run(name, func(t *testing.T) {
				broken := containers.Container{ID: id, Extensions: map[string]typeurl.Any{
					criExtension: &anypb.Any{TypeUrl: record.Extensions[criExtension].GetTypeUrl(), Value: []byte(value)},
				}}
				if _, err := s.Client.ContainerService().Update(ctx, broken, "extensions."+criExtension); err != nil {
					t.Fatal(err)
				}
				wantClosed(t, n, run{})
			})
		}
	})
}

// CRI is there but does not say what it shows: what would become a phantom is
// not known, so nothing of its namespace goes.
func TestNothingGoesWhenCRIDoesNotAnswer(t *testing.T) {
	n := cri.Start(t, parts.Containerd24)
	n.Pulled("docker.io/library/unused", "1")
	for name, answer := range map[string]func(reply proto.Message) error{
		"gone":              func(proto.Message) error { return status.Error(codes.Unavailable, "CRI is not initialized yet") },
		"permission denied": func(proto.Message) error { return status.Error(codes.PermissionDenied, "no") },
		"garbled": func(reply proto.Message) error {
			reply.ProtoReflect().SetUnknown([]byte{0x0a, 0x05, 0xff})
			return nil
		},
		"half an image": func(reply proto.Message) error {
			reply.ProtoReflect().SetUnknown([]byte{0x0a, 0x03, 0x12, 0x01, 'x'})
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			other := n.Image()
			if err := n.Store("default").Add(t.Context(), other, "other:1"); err != nil {
				t.Fatal(err)
			}
			p, err := run{
				namespaces: []string{"default", cri.Namespace},
				dial:       []grpc.DialOption{grpc.WithChainUnaryInterceptor(intercept("ListImages", answer))},
			}.on(t, n)
			if err == nil || !strings.Contains(err.Error(), "CRI") {
				t.Errorf("the run's error is %v", err)
			}
			p.wantGone(t)
			if len(p.report.Skipped) != 3 || len(p.report.Untagged) != 1 {
				t.Errorf("skipped %+v, untagged %+v", p.report.Skipped, p.report.Untagged)
			}
			wantClean(t, n)
		})
	}
}

// intercept answers one method of CRI's images in containerd's place.
func intercept(method string, answer func(reply proto.Message) error) grpc.UnaryClientInterceptor {
	return interceptCalls("/runtime.v1.ImageService/"+method, answer)
}

func interceptCalls(method string, answer func(reply proto.Message) error) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, called string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if called != method {
			return invoke(ctx, called, request, reply, cc, opts...)
		}
		return answer(reply.(proto.Message))
	}
}

// CRI answers, but follows no events: what it would go on showing stays, which
// one probe is enough to tell, and the run fails.
func TestCRIThatTakesNoNoteFailsTheRun(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		for _, name := range []string{"one:1", "two:1", "three:1"} {
			n.Add(n.Image(), name)
		}
		full := n.Image()
		n.Add(full, "docker.io/library/full:1")
		probes := 0
		count := func(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			if create, ok := request.(*imagesapi.CreateImageRequest); ok && strings.HasPrefix(create.Image.Name, "ctr-prune.invalid/") {
				probes++
			}
			return invoke(ctx, method, request, reply, cc, opts...)
		}
		knowsNothing := intercept("ImageStatus", func(proto.Message) error { return nil })
		p, err := run{
			namespaces: []string{cri.Namespace},
			dial:       []grpc.DialOption{grpc.WithChainUnaryInterceptor(count, knowsNothing)},
		}.on(t, n)
		if err == nil || !strings.Contains(err.Error(), "did not notice") || len(p.report.Errors) != 1 || probes != 1 {
			t.Errorf("after %d probes the run's error is %v", probes, err)
		}
		p.wantGone(t, full)
	})
}

package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// daemonCRI asks the CRI plugin of a running containerd.
type daemonCRI struct {
	CRIConn
	store *daemonStore
	tasks tasks.TasksClient
}

// Abilities are all that there are, as far as this process sees the files.
func (s *daemonStore) Abilities() store.Abilities {
	a := store.Abilities{Files: s, Disk: s, Dirs: s, Turns: s}
	if conn, ok := s.client.Conn().(grpc.ClientConnInterface); ok {
		a.CRI = daemonCRI{CRIConn{conn}, s, s.client.TaskService()}
	}
	return a
}

func (p daemonCRI) PodSandboxes(ctx context.Context) ([]store.CRISandbox, error) {
	answer, err := p.ask(ctx, "RuntimeService", "ListPodSandbox", nil)
	if err != nil {
		return nil, err
	}
	var found []store.CRISandbox
	err = EachField(answer, func(field protowire.Number, value []byte) error {
		if field != 1 {
			return nil
		}
		sandbox, err := ParseCRISandbox(value)
		found = append(found, sandbox)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the answer of CRI (ListPodSandbox): %w", err)
	}
	return found, nil
}

// Runs says that a process runs also if its state is unknown.
func (p daemonCRI) Runs(ctx context.Context, id string) (bool, error) {
	answer, err := p.tasks.Get(store.InNamespace(ctx, store.CRINamespace), &tasks.GetRequest{ContainerID: id})
	if err = errgrpc.ToNative(err); errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking whether sandbox %q runs: %w", id, err)
	}
	return answer.Process.GetStatus() != task.Status_STOPPED, nil
}

// ParseCRISandbox reads the fields id, metadata, state and created_at.
func ParseCRISandbox(message []byte) (s store.CRISandbox, err error) {
	err = EachField(message, func(field protowire.Number, value []byte) error {
		switch field {
		case 1:
			s.ID = string(value)
		case 2:
			return EachField(value, func(field protowire.Number, value []byte) error {
				addMetadata(&s.PodSandbox, field, value)
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	if s.ID == "" {
		return s, fmt.Errorf("a sandbox without ID: %w", errdefs.ErrDataLoss)
	}
	s.Ready = numberField(message, 3) == 0
	s.CreatedAt = time.Unix(0, int64(numberField(message, 4)))
	return s, nil
}

// addMetadata takes the fields name, uid and namespace.
func addMetadata(s *store.PodSandbox, field protowire.Number, value []byte) {
	switch field {
	case 1:
		s.Name = string(value)
	case 2:
		s.UID = string(value)
	case 3:
		s.Namespace = string(value)
	}
}

// numberField returns a number of a well-formed message, 0 if it has none: a
// field that is 0 is not written.
func numberField(message []byte, wanted protowire.Number) (number uint64) {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return number
		}
		message = message[n:]
		if value, n := protowire.ConsumeVarint(message); field == wanted && kind == protowire.VarintType && n >= 0 {
			number = value
		}
		size := protowire.ConsumeFieldValue(field, kind, message)
		if size < 0 {
			return number
		}
		message = message[size:]
	}
	return number
}

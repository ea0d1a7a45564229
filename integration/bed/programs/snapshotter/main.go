// Command snapshotter is a snapshotter that containerd reaches over a socket, as
// those of other vendors are: containerd's native one.
package main

import (
	"fmt"
	"net"
	"os"

	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/v2/contrib/snapshotservice"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"google.golang.org/grpc"
)

func main() {
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve serves the snapshots in a folder until the process is killed.
func serve(socket, dir string) error {
	if err := os.RemoveAll(socket); err != nil { // of a process that was killed
		return err
	}
	snapshotter, err := native.NewSnapshotter(dir)
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	snapshotsapi.RegisterSnapshotsServer(server, snapshotservice.FromSnapshotter(snapshotter))
	return server.Serve(listener)
}

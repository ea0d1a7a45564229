// Package proxy stands between a client and a containerd on sockets of their
// own, passes gRPC calls on message by message, and lets a test act at any of
// them: hold a call, kill the client, or stop the daemon.
package proxy

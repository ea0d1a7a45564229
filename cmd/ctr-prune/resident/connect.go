package resident

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/flock"
	"github.com/ctr-prune/ctr-prune/prune"
)

// locked says whether this is the resident of the node. If another one is, it is
// tried again; the work is done without the lock where no lock can be.
func (r *Resident) locked(now time.Time) bool {
	if r.lock != nil || !due(r.lockAt, now) {
		return r.lock != nil || r.unlocked
	}
	lock, err := r.take()
	held, isHeld := errors.AsType[*flock.HeldError](err)
	switch {
	case err == nil:
		r.lock, r.unlocked = lock, false
		r.lockAt = time.Time{}
		r.o.Log.Info("took the lock of the state folder", "folder", r.conf.state)
	case isHeld:
		r.unlocked, r.lockAt = false, now.Add(lockEvery)
	default:
		r.unlocked, r.lockAt = true, now.Add(lockRetry)
	}
	r.facts.lock(r, held, err)
	return r.lock != nil || r.unlocked
}

func (r *Resident) take() (*flock.Lock, error) {
	if err := os.MkdirAll(r.conf.state, 0o700); err != nil {
		return nil, err
	}
	return flock.Take(filepath.Join(r.conf.state, "lock"), r.o.Self)
}

// procfs is how the owners of runs are judged.
func (r *Resident) procfs() prune.Procfs {
	if r.lock == nil {
		return prune.Procfs{}
	}
	return prune.Procfs{Lock: r.lock.ID}
}

// connection is a store that answers, or did a moment ago.
type connection struct {
	store   prune.Store
	info    prune.StoreInfo
	sources []prune.Source
	// watched are the sources as the watch of use asks them.
	watched []prune.Source
	watcher *watcher
	// pods are those of the configuration that it was made with.
	pods pods
}

// connect opens the store.
func (r *Resident) connect(ctx context.Context) {
	policy := r.conf.Retention
	r.do(ctx, "connecting to containerd", func(ctx context.Context) func() {
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		conn, err := r.open(ctx, policy)
		return func() { r.connected(conn, err) }
	})
}

// answerTime is how long containerd may take for an answer.
const answerTime = 30 * time.Second

func (r *Resident) open(ctx context.Context, policy *prune.Retention) (*connection, error) {
	store, sources, err := r.o.Connect(ctx, policy)
	if err != nil {
		return nil, err
	}
	conn := &connection{store: store, pods: podsOf(policy)}
	if conn.info, err = store.Info(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	for name, source := range sources {
		r.o.Metrics.Clients(name)
		conn.add(name, &counted{Source: source, name: name, failed: r.o.Metrics.ClientFailed}, r.o.Now)
	}
	return conn, nil
}

// connected takes over a connection. All is looked at anew: nobody knows what
// happened meanwhile.
func (r *Resident) connected(conn *connection, err error) {
	now := r.o.Now()
	if err != nil {
		r.connectAt = now.Add(r.connectWait.wait())
		r.facts.down(r, err)
		return
	}
	r.conn = conn
	r.watch(conn)
	r.recovered = false
	r.surveyAt, r.diskAt, r.lookAt, r.connectAt = now, now, now.Add(lookEvery), time.Time{}
}

// answered notes that the store was read, which alone says that containerd works:
// one that takes connections may still answer nothing.
func (r *Resident) answered() {
	r.connectWait.reset()
	r.facts.up(r)
}

// disconnect gives a connection up.
func (r *Resident) disconnect() {
	if r.conn == nil {
		return
	}
	r.conn.watcher.stop()
	if err := r.conn.store.Close(); err != nil {
		r.o.Log.Debug("closing the connection", "error", err)
	}
	r.conn = nil
}

// look asks containerd for a sign of life.
func (r *Resident) look(ctx context.Context) {
	conn := r.conn
	r.do(ctx, "looking whether containerd answers", func(asking context.Context) func() {
		asking, cancel := context.WithTimeout(asking, answerTime)
		defer cancel()
		_, err := conn.store.Namespaces(asking)
		return func() { r.looked(ctx, err) }
	})
}

// looked takes over whether containerd has answered. Without an answer the
// connection is given up, because another one may do.
func (r *Resident) looked(ctx context.Context, err error) {
	now := r.o.Now()
	r.lookAt = now.Add(lookEvery)
	switch {
	case err == nil:
		r.answered()
	case ctx.Err() == nil:
		r.lost(err)
	}
}

// lost gives the connection up after an error.
func (r *Resident) lost(err error) {
	r.disconnect()
	r.connectAt = r.o.Now().Add(r.connectWait.wait())
	r.facts.down(r, err)
}

// silent says that an error may be that containerd is gone.
func silent(err error) bool {
	_, gone := errors.AsType[*prune.GoneError](err)
	return gone || errdefs.IsUnavailable(err) || errors.Is(err, context.DeadlineExceeded)
}

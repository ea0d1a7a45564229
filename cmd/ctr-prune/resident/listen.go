package resident

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/web"
)

// listener has the pages of a resident on an address.
type listener struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// listen begins to listen, nowhere if that is asked for.
func (r *Resident) listen(address string) *listener {
	if address == noListen {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &listener{cancel, make(chan struct{})}
	go func() {
		defer close(l.done)
		web.Serve(ctx, address, web.Handler(r, r.o.Metrics.Handler()), func(err error) {
			r.o.Log.Error("nobody can be told how this is; it is tried again", "listen", address, "error", err)
		}, func(at net.Addr) {
			if r.o.Listening != nil {
				r.o.Listening(at.String())
			}
		})
	}()
	return l
}

func (l *listener) stop() {
	if l == nil {
		return
	}
	l.cancel()
	<-l.done
}

// Ready says why no run could begin, nil if one could.
func (r *Resident) Ready() error {
	s := r.status.Load()
	switch {
	case s == nil:
		return errors.New("it is starting")
	case s.Config.Error != "":
		return errors.New("the configuration has errors: " + s.Config.Error)
	case s.Lock.Error != "" && !s.Lock.Without:
		return errors.New(s.Lock.Error)
	case s.LastLook.IsZero() || r.o.Now().Sub(s.LastLook) > fresh:
		if s.Containerd.Error != "" {
			return errors.New("the store was not read for too long: " + s.Containerd.Error)
		}
		return errors.New("the store was not read for more than " + fresh.String())
	default:
		return nil
	}
}

// Status is how the resident is.
func (r *Resident) Status() any {
	if s := r.status.Load(); s != nil {
		return s
	}
	return &Status{Time: time.Time{}}
}

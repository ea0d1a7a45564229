package disk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A process with these is a run that stops at a moment, until it is told to go
// on. It is a process of its own so that nothing of it keeps the disk busy.
const (
	childMoment  = "DISK_CHILD_MOMENT"
	childRoot    = "DISK_CHILD_ROOT"
	childAddress = "DISK_CHILD_ADDRESS"
)

// The moments: after the first deletion that is told of, when all records are
// deleted, before the collection, and after it.
var moments = []string{"first", string(prune.StageDelete), string(prune.StageCollect), string(prune.StageMeasure)}

// beChild prunes a store, prints its document, and returns the exit code.
func beChild(moment string) int {
	doc, err := pruneWithPause(context.Background(), moment)
	if doc != nil {
		err = errors.Join(err, json.NewEncoder(os.Stdout).Encode(doc))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return programs.ExitFailed
	}
	return programs.ExitDone
}

func openChildsStore(ctx context.Context) (prune.Store, error) {
	if root := os.Getenv(childRoot); root != "" {
		return prune.OpenRoot(ctx, root)
	}
	return prune.Open(ctx, os.Getenv(childAddress))
}

func pruneWithPause(ctx context.Context, moment string) (doc *prune.Document, err error) {
	store, err := openChildsStore(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	policy, now := pruning.All("default"), time.Now()
	plan, err := prune.ReadPlan(ctx, store, policy, now, prune.ReadOptions{})
	if err != nil {
		return nil, err
	}
	var once sync.Once
	at := func(now string) {
		if now == moment {
			once.Do(pause)
		}
	}
	report, err := prune.Execute(ctx, store, plan, prune.ExecuteOptions{
		Now:      time.Now,
		Progress: func(p prune.Progress) { at(string(p.Stage)) },
		Event:    func(prune.Event) { at(moments[0]) },
	})
	if report == nil {
		return nil, err
	}
	written := prune.ReportDocument(report)
	return &written, err
}

// pause says that the moment has come and waits for a line.
func pause() {
	fmt.Println("now")
	// Whatever comes, the parent is done with what it wanted.
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// during runs a child, and happens when its moment has come.
func (b *bed) during(moment string, happens func()) programs.Result {
	b.t.Helper()
	child := exec.CommandContext(b.t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childMoment+"="+moment, childAddress+"="+b.d.Address())
	if b.stopped {
		child.Env = append(child.Env, childRoot+"="+b.d.Root())
	}
	var errs bytes.Buffer
	child.Stderr = &errs
	in, err := child.StdinPipe()
	b.must(err)
	out, err := child.StdoutPipe()
	b.must(err, child.Start())
	lines := bufio.NewReader(out)
	if said, err := lines.ReadString('\n'); err != nil || said != "now\n" {
		b.t.Fatalf("the child says %q, %v\n%s", said, err, errs.String())
	}
	happens()
	b.must(in.Close())
	var rest bytes.Buffer
	_, err = rest.ReadFrom(lines)
	b.must(err)
	return programs.Ended(b.t, child, child.Wait(), &rest, &errs)
}

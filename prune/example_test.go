package prune_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/docker"
)

// A dry run: what would go, why the rest stays, and what that would free.
func Example_dryRun() {
	ctx := context.Background()
	store, err := prune.Open(ctx, "/run/containerd/containerd.sock")
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	now := time.Now()
	unused, err := filters.Parse(filters.Options{All: true, Until: []string{"72h"}}, now)
	if err != nil {
		log.Fatal(err)
	}
	policy := prune.Policy{Namespaces: []string{"default"}, Filters: unused}
	plan, err := prune.ReadPlan(ctx, store, policy, now, prune.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range plan.Decisions {
		fmt.Println(d.Action, d.Name, d.Reason)
	}
	fmt.Println(plan.Predicted().TotalBytes, "bytes would be freed")
}

// A prune beside a Docker Engine, which tells of its stopped containers. What is
// removed can be undone for an hour.
func Example_prune() {
	ctx := context.Background()
	store, err := prune.Open(ctx, "/run/containerd/containerd.sock")
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	engine, err := docker.New("unix:///run/docker.sock", store)
	if err != nil {
		log.Fatal(err)
	}
	sources := []prune.Source{engine}
	policy := prune.Policy{Namespaces: []string{"moby"}, Filters: filters.Everything()}
	plan, err := prune.ReadPlan(ctx, store, policy, time.Now(), prune.ReadOptions{Sources: sources})
	if err != nil {
		log.Fatal(err)
	}
	report, err := prune.Execute(ctx, store, plan, prune.ExecuteOptions{Now: time.Now, Sources: sources, Grace: time.Hour})
	if err != nil {
		log.Print(err)
	}
	if report != nil {
		fmt.Println(len(report.Untagged), "records are gone, until", report.Grace.Until)
	}
}

// nightlyJobs is a source: a program that knows which images its next jobs need.
type nightlyJobs struct{ next []string }

// Uses claims the images in the one namespace that the jobs start from.
func (j nightlyJobs) Uses(_ context.Context, asked prune.Asked) (uses []prune.Use, covered bool, err error) {
	if asked.Name != "default" {
		return nil, false, nil
	}
	for _, name := range j.next {
		uses = append(uses, prune.Use{Holder: prune.Holder{Kind: "job", Name: "nightly"}, Image: name, Absent: true})
	}
	return uses, true, nil
}

// A custom source keeps what only its program knows to be needed.
func ExampleSource() {
	var jobs prune.Source = nightlyJobs{next: []string{"docker.io/library/golang:1.26"}}
	uses, covered, err := jobs.Uses(context.Background(), prune.Asked{Namespace: &prune.Namespace{Name: "default"}})
	fmt.Println(uses[0].Image, covered, err)
	// Output: docker.io/library/golang:1.26 true <nil>
}

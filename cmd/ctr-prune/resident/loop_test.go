package resident

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/history"
)

// A bubble's clock begins at midnight.
func TestScheduledRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 2, ", every: 6h, jitter: 10m, grace: 24h")
		n.start()
		n.told("msg=started", "took the lock", "containerd answers")
		if err := n.resident.Ready(); err != nil {
			t.Errorf("it is not ready: %v", err)
		}
		n.has(`ctr_prune_containerd_up 1`, `ctr_prune_config_last_reload_successful 1`, `ctr_prune_images{namespace="default",state="remove"} 2`)
		next := n.resident.status.Load().NextRun
		if since := time.Since(next); since > 0 || since < -10*time.Minute {
			t.Errorf("the first run is at %s", next) // it is not yet midnight and the offset
		}
		sleep(time.Until(next) - time.Second)
		n.told()
		sleep(time.Second)
		n.told("removed an image", "removed an image", "a run ended")
		n.has(`ctr_prune_runs_total{result="done",trigger="schedule"} 1`, `ctr_prune_records_total{action="removed",namespace="default"} 2`)
		if later := n.resident.status.Load().NextRun; !later.Equal(next.Add(6 * time.Hour)) {
			t.Errorf("the second run is at %s", later)
		}
		sleep(6 * time.Hour)
		n.told("result=nothing")
		list, err := history.In(n.dir + "/state").List()
		if err != nil || len(list) != 2 || list[0].Result != "nothing" || list[1].Document.Grace == nil || list[1].Run != list[1].Document.Grace.Run {
			t.Errorf("history %v, %v", list, err)
		}
		n.stop()
		n.told()

		// A restart makes up for nothing, and moves nothing.
		n.start()
		n.told("msg=started", "took the lock", "containerd answers")
		if later := n.resident.status.Load().NextRun; !later.Equal(next.Add(12 * time.Hour)) {
			t.Errorf("after a restart the next run is at %s", later)
		}
		n.stop()
	})
}

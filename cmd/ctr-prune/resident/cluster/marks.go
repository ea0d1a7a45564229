package cluster

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Marks are from when on a kubelet collects images and evicts pods.
type Marks struct {
	// High and Low are percentages of the disk of images in use, between which the
	// kubelet collects; with High 100 it never does.
	High, Low int
	// Available and Inodes are what has to be available of that disk, as percentages or,
	// with a unit, as amounts; "" if no pods are evicted for it.
	Available, Inodes string
	// MaxAge is after what time the kubelet removes what is unused, "" if never.
	MaxAge string
}

// Kubelet asks a kubelet for its marks. It needs the right to get nodes/configz.
func Kubelet(ctx context.Context, a Access) (Marks, error) {
	var answer struct {
		KubeletConfig *struct {
			ImageGCHighThresholdPercent *int
			ImageGCLowThresholdPercent  *int
			ImageMaximumGCAge           string
			EvictionHard                map[string]string
		} `json:"kubeletconfig"`
	}
	if err := a.do(ctx, http.MethodGet, "/configz", "", nil, &answer); err != nil {
		return Marks{}, err
	}
	c := answer.KubeletConfig
	if c == nil || c.ImageGCHighThresholdPercent == nil || c.ImageGCLowThresholdPercent == nil {
		return Marks{}, fmt.Errorf("the answer of %s/configz does not say from when on images are collected", a.URL)
	}
	m := Marks{
		High: *c.ImageGCHighThresholdPercent, Low: *c.ImageGCLowThresholdPercent,
		Available: c.EvictionHard["imagefs.available"], Inodes: c.EvictionHard["imagefs.inodesFree"],
	}
	if never := strings.Trim(c.ImageMaximumGCAge, "0hms.") == ""; !never {
		m.MaxAge = c.ImageMaximumGCAge
	}
	return m, nil
}

// Conflicts says where a kubelet would act before a policy does that begins at so many
// percent of space and inodes in use, 0 if it does not begin by these.
func (m Marks) Conflicts(high, inodes int) (all []string) {
	if high > 0 && m.High < 100 && high >= m.High {
		all = append(all, fmt.Sprintf("disk.high is %d%%, and the kubelet begins to collect images at %d%% (imageGCHighThresholdPercent): use a lower mark, or raise that one", high, m.High))
	}
	if limit, ok := evicts(m.Available); ok && high > 0 && high >= limit {
		all = append(all, fmt.Sprintf("disk.high is %d%%, and the kubelet evicts pods when less than %s of the images' disk is available (evictionHard): use a mark below %d%%", high, m.Available, limit))
	}
	if limit, ok := evicts(m.Inodes); ok && inodes > 0 && inodes >= limit {
		all = append(all, fmt.Sprintf("disk.inodes.high is %d%%, and the kubelet evicts pods when less than %s of the inodes are free (evictionHard): use a mark below %d%%", inodes, m.Inodes, limit))
	}
	if m.MaxAge != "" {
		all = append(all, fmt.Sprintf("the kubelet removes what was unused for %s (imageMaximumGCAge), whatever the policy keeps: set it to 0s", m.MaxAge))
	}
	return all
}

// evicts is at how many percent in use a threshold is reached. An amount depends on the
// disk, and is not judged.
func evicts(threshold string) (used int, ok bool) {
	digits, percent := strings.CutSuffix(threshold, "%")
	part, err := strconv.ParseFloat(digits, 64)
	if !percent || err != nil || part <= 0 || part > 100 {
		return 0, false
	}
	return 100 - int(part), true
}

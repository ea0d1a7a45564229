package kubelet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// podList is the part of v1.PodList, or of the v1.List that kubectl prints,
// that names images. Other fields are ignored.
type podList struct {
	Kind       string `json:"kind"`
	APIVersion string `json:"apiVersion"`
	Metadata   struct {
		Continue           string `json:"continue"`
		RemainingItemCount *int64 `json:"remainingItemCount"`
	} `json:"metadata"`
	Items json.RawMessage `json:"items"`
}

type pod struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Namespace   string            `json:"namespace"`
		Name        string            `json:"name"`
		UID         string            `json:"uid"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		NodeName            string      `json:"nodeName"`
		Containers          []container `json:"containers"`
		InitContainers      []container `json:"initContainers"`
		EphemeralContainers []container `json:"ephemeralContainers"`
		Volumes             []volume    `json:"volumes"`
	} `json:"spec"`
	Status struct {
		Phase                      string   `json:"phase"`
		ContainerStatuses          []status `json:"containerStatuses"`
		InitContainerStatuses      []status `json:"initContainerStatuses"`
		EphemeralContainerStatuses []status `json:"ephemeralContainerStatuses"`
	} `json:"status"`
}

type container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

type volume struct {
	Name  string `json:"name"`
	Image *struct {
		Reference string `json:"reference"`
	} `json:"image"`
}

// status is what the kubelet says about a container: Image is the name it was
// created from and ImageID a digest, of a config or of a target.
type status struct {
	Name    string `json:"name"`
	Image   string `json:"image"`
	ImageID string `json:"imageID"`
	State   struct {
		Waiting *struct{} `json:"waiting"`
	} `json:"state"`
}

// parsePods parses a list strictly: anything but a complete list of pods is an
// error, never an empty list.
func parsePods(text []byte) ([]pod, error) {
	var list podList
	if err := strictjson.Unmarshal(text, &list); err != nil {
		return nil, syntax(err)
	}
	switch {
	case list.Kind != "PodList" && list.Kind != "List" || list.APIVersion != "v1":
		return nil, fmt.Errorf("it is not a list of pods: its kind is %.40q and its apiVersion %.40q, not \"PodList\" and \"v1\"", list.Kind, list.APIVersion)
	case list.Items == nil:
		return nil, errors.New("it is not a list of pods: it has no items")
	case list.Metadata.Continue != "" || list.Metadata.RemainingItemCount != nil:
		return nil, errors.New("it is only the first page of a list of pods: request the whole list")
	}
	var pods []pod // stays empty for null, which is how an empty list may be written
	if err := strictjson.Unmarshal(list.Items, &pods); err != nil {
		return nil, syntax(err)
	}
	for i, p := range pods {
		if err := p.check(list.Kind); err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
	}
	return pods, nil
}

// syntax is the error for users if a text is not JSON or is truncated.
func syntax(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it ends in the middle of the list")
	case errors.Is(err, strictjson.ErrTrailing):
		return errors.New("something follows the end of the list")
	case strictjson.Ambiguous(err):
		return err
	default:
		return fmt.Errorf("it is not a list of pods in JSON: %w", err)
	}
}

func (p pod) check(listKind string) error {
	if p.Kind != "Pod" && (p.Kind != "" || listKind == "List") {
		return fmt.Errorf("it is not a pod: its kind is %.40q", p.Kind)
	}
	if p.Metadata.Name == "" || p.Metadata.Namespace == "" {
		return errors.New("it is not a pod: it lacks a name or a namespace")
	}
	if len(p.Spec.Containers) == 0 {
		return fmt.Errorf("pod %.80q has no containers", p.name())
	}
	for _, c := range p.containers() {
		if c.Name == "" || c.Image == "" {
			return fmt.Errorf("pod %.80q has a container that lacks a name or an image", p.name())
		}
	}
	for _, v := range p.Spec.Volumes {
		if v.Image != nil && v.Image.Reference == "" {
			return fmt.Errorf("pod %.80q has an image volume %.80q without a reference", p.name(), v.Name)
		}
	}
	return nil
}

func (p pod) name() string { return p.Metadata.Namespace + "/" + p.Metadata.Name }

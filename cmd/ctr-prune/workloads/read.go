package workloads

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"
)

// object is as much of an object of Kubernetes as says which images it needs.
type object struct {
	Kind     string
	Metadata struct{ Namespace, Name string }
	Items    []object
	Spec     spec
	Status   struct {
		Conditions []struct{ Type, Status string }
	}
}

// spec is that of a workload, which has a template, of a CronJob, which has one of a
// Job, or of a pod itself.
type spec struct {
	podSpec
	Template    *struct{ Spec podSpec }
	JobTemplate *struct {
		Spec struct{ Template struct{ Spec podSpec } }
	}
}

type podSpec struct {
	InitContainers, Containers, EphemeralContainers []struct{ Image string }
	Volumes                                         []struct {
		Image *struct{ Reference string }
	}
}

// Needs are images with who needs each, such as "deployment shop/web".
type Needs map[string][]string

// Read reads a list of workloads. Jobs that have ended need nothing any more.
func Read(from io.Reader) (Needs, error) {
	decoder := json.NewDecoder(from)
	var root object
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("there is nothing in it: give what kubectl get deploy,ds,sts,cronjob,job -A -o json prints")
	case err != nil:
		return nil, fmt.Errorf("this is not what kubectl get -o json prints: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the list: give what one kubectl get -o json prints")
	}
	needs := make(Needs)
	if root.Kind == "List" || strings.HasSuffix(root.Kind, "List") && root.Items != nil {
		for i := range root.Items {
			if err := needs.add(&root.Items[i], strings.TrimSuffix(root.Kind, "List")); err != nil {
				return nil, err
			}
		}
		return needs, nil
	}
	return needs, needs.add(&root, "")
}

// add adds the images of one object. Those of a list of one kind may not say which
// kind they are.
func (n Needs) add(o *object, kind string) error {
	if o.Kind != "" {
		kind = o.Kind
	}
	who := strings.ToLower(kind) + " " + strings.TrimPrefix(o.Metadata.Namespace+"/"+o.Metadata.Name, "/")
	var pods podSpec
	switch {
	case kind == "Pod":
		pods = o.Spec.podSpec
	case kind == "CronJob" && o.Spec.JobTemplate != nil:
		pods = o.Spec.JobTemplate.Spec.Template.Spec
	case o.Spec.Template != nil:
		pods = o.Spec.Template.Spec
	default:
		return fmt.Errorf("%q makes no pods: give workloads, as kubectl get deploy,ds,sts,cronjob,job -A -o json prints them", who)
	}
	if o.ended() {
		return nil
	}
	for _, image := range pods.images() {
		name, err := stored(image)
		if err != nil {
			return fmt.Errorf("%s has an image %q that is not a name: %w", who, image, err)
		}
		n[name] = append(n[name], who)
	}
	return nil
}

// ended says that a Job or a pod will not start a container any more.
func (o *object) ended() bool {
	if o.Kind != "Job" {
		return false
	}
	for _, c := range o.Status.Conditions {
		if (c.Type == "Complete" || c.Type == "Failed") && c.Status == "True" {
			return true
		}
	}
	return false
}

// images are all that the pods need, also what is mounted as a volume.
func (p *podSpec) images() (images []string) {
	for _, list := range [][]struct{ Image string }{p.InitContainers, p.Containers, p.EphemeralContainers} {
		for _, c := range list {
			if c.Image != "" { // a template may leave it to whoever admits the pod
				images = append(images, c.Image)
			}
		}
	}
	for _, v := range p.Volumes {
		if v.Image != nil && v.Image.Reference != "" {
			images = append(images, v.Image.Reference)
		}
	}
	return images
}

// stored is the name by which CRI keeps an image: in full, with the tag latest if there
// is none, without a tag if there is a digest; or the image's ID.
func stored(image string) (string, error) {
	ref, err := reference.ParseAnyReference(image)
	if err != nil {
		return "", err
	}
	if _, named := ref.(reference.Named); !named {
		return ref.String(), nil
	}
	named, err := reference.ParseDockerRef(image)
	if err != nil {
		return "", err
	}
	return named.String(), nil
}

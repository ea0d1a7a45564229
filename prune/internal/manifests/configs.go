package manifests

import (
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// MaxManifests is how many manifests and indexes one image may have, counting
// those in indexes within it, to be judged by the labels of its configs. There
// may be as many images as there are such indexes.
const MaxManifests = 1000

// Configs collects the labels of the configs of all present platforms.
func (l *Library) Configs(ctx context.Context, target digest.Digest) inventory.Config {
	var config inventory.Config
	if err := l.collect(ctx, target, make(map[digest.Digest]bool), &config); err != nil {
		return inventory.Config{Problem: err.Error()}
	}
	if len(config.Labels) == 0 {
		config.Problem = "none of its platforms is in the content store"
	}
	return config
}

// collect walks a manifest or an index by digest, so that a blob that is
// listed many times costs one look. Missing platforms of an index are normal.
func (l *Library) collect(ctx context.Context, dgst digest.Digest, seen map[digest.Digest]bool, config *inventory.Config) error {
	if seen[dgst] = true; len(seen) > MaxManifests {
		return fmt.Errorf("it has more than %d manifests, too many to look at", MaxManifests)
	}
	doc, err := l.read(ctx, dgst)
	if err != nil {
		return err
	}
	for _, child := range doc.children {
		if seen[child] {
			continue
		}
		if err := l.collect(ctx, child, seen, config); err != nil {
			return err
		}
	}
	if !doc.hasConfig {
		return nil
	}
	if doc.configErr != nil {
		return fmt.Errorf("%s cannot be parsed: %w", dgst, doc.configErr)
	}
	labels, err := l.labels(ctx, doc.config)
	if err != nil {
		return err
	}
	config.Labels = append(config.Labels, labels)
	return nil
}

func (l *Library) labels(ctx context.Context, config digest.Digest) (map[string]string, error) {
	doc, err := l.read(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("config %w", err)
	}
	if doc.labelErr != nil {
		return nil, fmt.Errorf("config %s cannot be parsed: %w", config, doc.labelErr)
	}
	return doc.labels, nil
}

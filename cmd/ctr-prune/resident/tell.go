package resident

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// tell tells of a run in the log, the metrics, the history and the status.
func (r *Resident) tell(out *outcome) {
	r.o.Metrics.Ran(out.trigger, out.result, out.started, out.ended)
	if out.doc != nil {
		if !out.dry {
			r.o.Metrics.Removed(*out.doc)
		}
		r.tellImages(out, out.doc)
	}
	err := r.history.Add(out.entry()) // so that it is there when the log tells of the run
	r.tellRun(out)
	r.eventsOf(out)
	r.facts.ran(out)
	if err != nil {
		r.o.Log.Warn("the report is not kept", "run", out.name, "error", err)
	}
}

// tellImages writes a line for each image record that is gone, or would be.
func (r *Resident) tellImages(out *outcome, doc *prune.Document) {
	reasons := make(map[prune.Record]prune.ImageDocument, len(doc.Images))
	var gone []prune.Record
	for _, image := range doc.Images {
		reasons[image.Record] = image
		if out.dry && image.Action != prune.Keep {
			gone = append(gone, image.Record)
		}
	}
	message := "would remove an image"
	if !out.dry {
		gone, message = doc.Untagged, "removed an image"
	}
	for _, record := range gone {
		r.o.Log.Info(message, out.image(record, reasons[record])...)
	}
}

func (o *outcome) image(record prune.Record, why prune.ImageDocument) []any {
	args := []any{"run", o.name, "namespace", record.Namespace, "image", record.Name, "target", record.Target.String()}
	if why.ReasonParts != nil && why.ReasonParts.Rule != "" {
		args = append(args, "rule", why.ReasonParts.Rule)
	}
	if why.Reason != "" {
		args = append(args, "reason", why.Reason)
	}
	if use := o.policy.LastUse.Last(record.Namespace, record.Target, o.started); !use.At.IsZero() {
		args = append(args, "lastUse", use.At.UTC().Format(time.RFC3339), "usedBy", use.By)
	}
	return append(args, "bytes", why.FreesBytes)
}

// tellRun writes a line for the run, and one for each error.
func (r *Resident) tellRun(out *outcome) {
	args := []any{"run", out.name, "trigger", out.trigger, "result", out.result, "duration", out.ended.Sub(out.started).Round(time.Millisecond).String()}
	if doc := out.doc; doc != nil {
		args = append(args, out.figures()...)
		for _, failed := range doc.Errors {
			r.o.Log.Error("the run had an error", "run", out.name, "error", failed.Reason)
		}
		for _, refused := range doc.Refused {
			r.o.Log.Warn("nothing is removed from a namespace", "run", out.name, "namespace", refused.Namespace, "reason", refused.Reason)
		}
		for _, killed := range doc.Recovered {
			r.o.Log.Info("finished a killed run", "run", out.name, "namespace", killed.Namespace, "killed", killed.Run, "owner", killed.Owner, "restored", len(killed.Restored))
		}
	}
	if out.err != nil && (out.doc == nil || len(out.doc.Errors) == 0) {
		args = append(args, "error", strings.ReplaceAll(out.err.Error(), "\n", "; "))
	}
	r.o.Log.Log(context.Background(), out.level(), "a run ended", args...)
}

// figures are what a run did, or would do.
func (o *outcome) figures() []any {
	if o.dry {
		return []any{"images", o.doc.Counts.Remove + o.doc.Counts.StandIn, "bytes", o.doc.Predicted.TotalBytes}
	}
	args := []any{"removed", len(o.doc.Untagged), "freed", o.doc.Reclaimed.TotalBytes}
	if o.rounds != nil && len(o.rounds.Rounds) > 1 {
		args = append(args, "rounds", len(o.rounds.Rounds))
	}
	if o.doc.Grace != nil {
		args = append(args, "graceUntil", o.doc.Grace.Until.UTC().Format(time.RFC3339))
	}
	return args
}

func (o *outcome) level() slog.Level {
	switch o.result {
	case resultFailed:
		return slog.LevelError
	case resultBusy, resultRefused, resultInterrupted:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

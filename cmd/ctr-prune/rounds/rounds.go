package rounds

import "github.com/ctr-prune/ctr-prune/prune"

// Summary is what each of the rounds did. With what ending graces gave back, the
// rounds have freed what the report of the run says.
type Summary struct {
	Rounds []Round `json:"rounds"`
	// EndedGraces is what ending the graces of earlier runs gave back, before the
	// first round.
	EndedGraces prune.Amount `json:"endedGraces"`
}

// Round is what one round did.
type Round struct {
	Removed   int          `json:"removed"`
	Predicted prune.Amount `json:"predicted"`
	Reclaimed prune.Amount `json:"reclaimed"`
}

// Summarise is the summary of a run.
func Summarise(done *prune.Relieved) *Summary {
	s := &Summary{Rounds: []Round{}, EndedGraces: done.Dropped}
	for _, r := range done.Reports {
		s.Rounds = append(s.Rounds, Round{len(r.Untagged), r.Plan.Predicted(), r.Reclaimed})
	}
	return s
}

// Document is the report of all rounds of a run by a plan, of which there has to be
// one at least. It says whether what had to be freed is, and counts what ending graces
// gave back as freed.
func Document(plan *prune.Plan, done *prune.Relieved) prune.Document {
	doc := prune.ReportDocument(done.Reports[0])
	for _, report := range done.Reports[1:] {
		doc = joined(doc, prune.ReportDocument(report))
	}
	relief := *plan.Relief
	relief.Reached, relief.Shortfall = done.Reached, done.Shortfall
	doc.Relief = &relief
	doc.Reclaimed.Add(done.Dropped)
	return doc
}

// joined is the document of two rounds.
func joined(first, second prune.Document) prune.Document {
	gone := make(map[[2]string]prune.ImageDocument)
	for _, image := range second.Images {
		if image.Action != prune.Keep {
			gone[[2]string{image.Namespace, image.Name}] = image
		}
	}
	for i, image := range first.Images {
		if later, goes := gone[[2]string{image.Namespace, image.Name}]; goes && image.Action == prune.Keep {
			first.Images[i] = later
			first.Counts.Keep--
			if later.Action == prune.StandIn {
				first.Counts.StandIn++
			} else {
				first.Counts.Remove++
			}
		}
	}
	first.Untagged, first.Deleted = append(first.Untagged, second.Untagged...), append(first.Deleted, second.Deleted...)
	first.Aborted, first.Skipped = append(first.Aborted, second.Aborted...), append(first.Skipped, second.Skipped...)
	first.Restored, first.Recovered = append(first.Restored, second.Restored...), append(first.Recovered, second.Recovered...)
	first.Changes, first.Errors = append(first.Changes, second.Changes...), append(first.Errors, second.Errors...)
	first.Held = second.Held
	for _, sums := range [][2]*prune.Amount{
		{&first.Predicted, &second.Predicted}, {&first.Reclaimed, &second.Reclaimed}, {&first.Garbage, &second.Garbage}, {&first.Others, &second.Others},
	} {
		sums[0].Add(*sums[1])
	}
	first.Stall = max(first.Stall, second.Stall)
	first.Interrupted, first.Untried = second.Interrupted, second.Untried
	first.Measured, first.Verified = first.Measured && second.Measured, first.Verified && second.Verified
	return first
}

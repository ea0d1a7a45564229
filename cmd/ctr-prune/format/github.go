package format

import (
	"bytes"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
)

// showGitHub writes the text and the annotations to the log, and the summary and
// the outputs of the step to their files.
func (o *Output[R]) showGitHub(r Result[R]) error {
	var log bytes.Buffer
	text := o.out.Onto(&log)
	r.Text(text)
	markdown, err := o.out.InMarkdown(r.Text)
	if err := firstError(err, text.Flush()); err != nil {
		return err
	}
	o.out.Write(github.Plain(log.String()))
	remarks := r.remarks()
	for i := range remarks {
		remarks[i].Text = o.out.Times(remarks[i].Text)
	}
	for _, remark := range github.Shown(remarks) {
		o.out.Write(remark.Command())
	}
	return firstError(o.out.Flush(), o.opts.GitHub.AddSummary(github.Summary(remarks, markdown)), o.opts.GitHub.AddOutputs(r.figures()))
}

func (r Result[R]) remarks() []github.Remark {
	if r.Remarks == nil {
		return nil
	}
	return r.Remarks()
}

func (r Result[R]) figures() []github.Figure {
	if r.Figures == nil {
		return nil
	}
	return r.Figures()
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

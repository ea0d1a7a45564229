package cause

import "fmt"

// The codes of what is wrong with the file of a blob.
const (
	CodeWrongSize   Code = "wrong-size"
	CodeWrongDigest Code = "wrong-digest"
)

// The codes of what a check could not look for.
const (
	CodeBlobsUnseen     Code = "blobs-unseen"
	CodeSnapshotsUnseen Code = "snapshots-unseen"
)

// The codes of what an image lacks.
const (
	CodeBlobMissing   Code = "blob-missing"
	CodeConfigMissing Code = "config-missing"
	CodeLayerMissing  Code = "layer-missing"
	CodeAttestation   Code = "only-attestation"
	CodeCircle        Code = "refers-to-itself"
)

// lacking puts it in words, of which the first is the blob.
func lacking(format string) func(*Parts) string {
	return func(p *Parts) string {
		text := fmt.Sprintf(format, p.Target)
		if p.Index {
			return "none of its platforms is complete; " + text
		}
		return text
	}
}

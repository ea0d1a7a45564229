package kubelet

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	// namespace is where CRI keeps the images of pods.
	namespace = "k8s.io"
	// maxList bounds the list in bytes: pods take some tens of KiB each.
	maxList = 64 << 20
	// defaultTimeout bounds one answer of the kubelet.
	defaultTimeout = 30 * time.Second
	// serviceAccount is where a pod finds its own credentials.
	serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"
)

// Options say how a kubelet is reached and when it is believed.
type Options struct {
	// The first five mean what the options of kubectl with these names mean,
	// and do not apply to a file.

	// TokenFile holds the bearer token; that of the pod's service account if
	// it is empty and there is one. It is read for each request, for tokens
	// are renewed.
	TokenFile string
	// CAFile holds the certificates that the kubelet's is checked against;
	// the system's, and the service account's if there is one, if empty.
	CAFile string
	// CertFile and KeyFile are a client certificate.
	CertFile, KeyFile string
	// Insecure does not check the kubelet's certificate.
	Insecure bool
	// Owner is a user whose file is believed, beside root and the user of this
	// process, as the one who called sudo; none if zero.
	Owner int
	// InsecureFile believes a file also if others may have written it.
	InsecureFile bool
	// Timeout bounds an answer; half a minute if zero.
	Timeout time.Duration
	// MayBeEmpty says that this node may have no pods at all. An empty list is
	// otherwise not believed: a kubelet gives one, too, until it has heard of
	// its pods.
	MayBeEmpty bool
	// Wait pauses before a list is asked for again; it sleeps if nil.
	Wait func(context.Context, time.Duration) error

	// account is the folder of the service account, for tests.
	account string
	// limit bounds the list in bytes, for tests.
	limit int64
}

// Source tells the uses of the pods on a node. It is not safe for concurrent
// use.
type Source struct {
	from string
	url  *url.URL // nil if from is a file
	opts Options
	// stream is what a file held that can be read only once.
	stream []byte
	// doubted says that the list was asked for again, in vain.
	doubted bool
}

var _ prune.Source = (*Source)(nil)

// New returns a source that reads a list of pods from a URL, such as the
// kubelet's https://127.0.0.1:10250/pods, or a file. Nothing is read yet. An
// error says which of the arguments cannot be right.
func New(from string, opts Options) (*Source, error) {
	if from == "" {
		return nil, errors.New("neither a URL nor a file is given")
	}
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	if opts.limit == 0 {
		opts.limit = maxList
	}
	if opts.account == "" {
		opts.account = serviceAccount
	}
	if opts.Wait == nil {
		opts.Wait = sleep
	}
	s := &Source{from: from, opts: opts}
	if !strings.Contains(from, "://") {
		if err := s.checkFile(); err != nil {
			return nil, err
		}
		return s, nil
	}
	var err error
	if s.url, err = url.Parse(from); err != nil {
		return nil, fmt.Errorf("%q is not a URL: %w", from, err)
	}
	if err := s.checkURL(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Source) checkFile() error {
	if o := s.opts; o.TokenFile != "" || o.CAFile != "" || o.CertFile != "" || o.KeyFile != "" || o.Insecure {
		return fmt.Errorf("%q is a file: a token, certificates and TLS are for a URL", s.from)
	}
	return nil
}

func (s *Source) checkURL() error {
	o := s.opts
	switch {
	case s.url.Scheme != "https" && s.url.Scheme != "http":
		return fmt.Errorf("%q is neither an http nor an https URL", s.url.Redacted())
	case s.url.Host == "":
		return fmt.Errorf("%q names no host", s.url.Redacted())
	case s.url.User != nil:
		return errors.New("a URL with a password in it is seen by everybody who can list processes: use a token file")
	case s.url.Scheme == "http" && (o.TokenFile != "" || o.CertFile != "" || o.CAFile != "" || o.Insecure):
		return errors.New("a token or certificates need https, because http shows a token to everybody on the way")
	case (o.CertFile == "") != (o.KeyFile == ""):
		return errors.New("a client certificate and its key must be given together")
	case o.Insecure && o.CAFile != "":
		return errors.New("checking a certificate against an authority and not checking it contradict each other")
	}
	return nil
}

// Uses returns what the pods of the list use. Only the namespace of CRI is
// covered. A list that cannot be that of all pods of this node is asked for
// again for some seconds, and then is an error. An error is one sentence.
func (s *Source) Uses(ctx context.Context, ns prune.Asked) ([]prune.Use, bool, error) {
	if ns.Name != namespace {
		return nil, false, nil
	}
	pods, err := s.believed(ctx, ns)
	if err == nil {
		return usesOf(pods), true, nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return nil, false, fmt.Errorf("could not list this node's pods from %s: %w", s.name(), err)
}

func (s *Source) name() string {
	if s.url != nil {
		return s.url.Redacted()
	}
	return fmt.Sprintf("file %q", s.from)
}

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
	// maxList is the limit on the list in bytes; a pod takes some tens of KiB.
	maxList = 64 << 20
	// defaultTimeout limits the time of one request to the kubelet.
	defaultTimeout = 30 * time.Second
	// serviceAccount is the folder with a pod's own credentials.
	serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"
)

// Options say how to connect to a kubelet and when to believe its list.
type Options struct {
	// TokenFile to Insecure have the meaning of kubectl's options of these names,
	// and cannot be used with a file.

	// TokenFile is the path of a file with the bearer token; if empty, that of the
	// pod's service account is used if there is one. It is read for each request,
	// because tokens are renewed.
	TokenFile string
	// CAFile is the path of the CA certificates that verify the kubelet's; if
	// empty, those of the system and of the service account, if there is one, are
	// used.
	CAFile string
	// CertFile and KeyFile are the paths of a client certificate and its key.
	CertFile, KeyFile string
	// Insecure skips the verification of the kubelet's certificate.
	Insecure bool
	// Owner is the ID of another user, such as the one who called sudo, whose file
	// is trusted in addition to those of root and the user of this process; zero
	// means none.
	Owner int
	// InsecureFile accepts a file even if other users could have written it.
	InsecureFile bool
	// Timeout limits the time of one request; zero means 30 seconds.
	Timeout time.Duration
	// MayBeEmpty says that this node may have no pods at all. Otherwise an empty
	// list is not believed, because a kubelet also returns one until it has
	// received its pods.
	MayBeEmpty bool
	// Wait pauses before a list is requested again; if nil, it sleeps.
	Wait func(context.Context, time.Duration) error

	// account is the folder of the service account; tests change it.
	account string
	// limit is the limit on the list in bytes; tests change it.
	limit int64
}

// Source is a [prune.Source] that returns the images used by the pods of a
// node. It is not safe for concurrent use.
type Source struct {
	from string
	url  *url.URL // nil if from is a file
	node string   // the one whose pods an API server is asked for, "" if that is not known
	opts Options
	// stream is the content of a file that can be read only once.
	stream []byte
	// doubted says that the list was requested again in vain.
	doubted bool
}

var _ prune.Source = (*Source)(nil)

// New returns a source that reads a list of pods from a URL, such as the
// kubelet's https://NODE:10250/pods or an API server's
// https://HOST/api/v1/pods?fieldSelector=spec.nodeName%3DNODE, or a file. Nothing is read yet. An
// error says which of the arguments is wrong.
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
	s.node = nodeOf(s.url)
	return s, nil
}

// nodeOf is the node that a question to an API server is about.
func nodeOf(u *url.URL) string {
	node, _ := strings.CutPrefix(u.Query().Get("fieldSelector"), "spec.nodeName=")
	if strings.ContainsAny(node, "=,!") {
		return ""
	}
	return node
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

// Uses implements [prune.Source]. It covers only the namespace of CRI, k8s.io.
// A list that cannot be the complete list of this node's pods is requested
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

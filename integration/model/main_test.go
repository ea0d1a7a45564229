package model

import (
	"errors"
	"flag"
	"testing"

	"github.com/containerd/log"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// containerd's packages tell of all that they would only prefer to have.
	if err := log.SetLevel("fatal"); err != nil {
		panic(err)
	}
	// A few long histories: what is wrong shows late. The command line wins.
	if err := errors.Join(flag.Set("rapid.steps", "60"), flag.Set("rapid.checks", "15")); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

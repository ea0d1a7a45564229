package main

import (
	"errors"
	"os"
	"strconv"

	"github.com/ctr-prune/ctr-prune/prune/trust"
)

const flagInsecureFile = "allow-insecure-file"

// caller is the user who called this with sudo, zero if nobody did: what is
// that user's own is as good as root's, because who may call this as root
// could have named any file.
func caller(p process) int {
	user, err := strconv.Atoi(p.getenv("SUDO_UID"))
	if err != nil || user < 0 || os.Geteuid() != 0 {
		return 0
	}
	return user
}

// believed refuses a plan that others may have written: it decides what goes.
func believed(p process, f *os.File) error {
	err := trust.Self().And(caller(p)).File(f)
	if refused, ok := errors.AsType[*trust.Refusal](err); ok {
		return usagef("%s: %s, or do what it says with --%s", f.Name(), refused, flagInsecureFile)
	}
	if err != nil {
		return usagef("the plan cannot be read: %s", err)
	}
	return nil
}

package testworld

// A TB is a test or a random draw of one: the part of *testing.T that *rapid.T has too.
type TB interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Must returns the value of a call that cannot fail in a test, and panics if it
// does: Must(0, err) checks an error alone.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

package filters

import (
	"math"
	"strings"

	"github.com/dustin/go-humanize"
)

// ParseSize parses a number of bytes such as 500MB, 20GiB or 1.5 TB. B, kB, MB
// and so on are powers of 1000, KiB, MiB and so on powers of 1024, in any case.
// The unit is required: 20 typed for 20GB must not mean 20 bytes. A negative
// size, and one beyond 8 EiB, are [*Error]s.
func ParseSize(s string) (int64, error) {
	number, unit, rest := nextTerm(s)
	unit = strings.TrimPrefix(unit, " ")
	switch {
	case strings.HasPrefix(s, "-"):
		return 0, &Error{What: quote(s) + " is negative", Instead: "type a size such as 500MB or 20GiB"}
	case len(s) > maxInput || number == "" || rest != "" || strings.TrimSpace(unit) != unit:
		return 0, &Error{What: quote(s) + " is not a size", Instead: "type one such as 500MB or 20GiB"}
	case unit == "":
		return 0, &Error{What: quote(s) + " has no unit", Instead: "type one such as 500MB, 20GiB or 4096B"}
	case !isSizeUnit(unit):
		return 0, &Error{What: quote(s) + " has an unknown unit " + quote(unit), Instead: "type B, kB, MB, GB, TB, KiB, MiB, GiB or TiB"}
	}
	n, err := humanize.ParseBytes(number + " " + unit)
	if err != nil || n > math.MaxInt64 {
		return 0, &Error{What: quote(s) + " is too large", Instead: "type a size below 8EiB"}
	}
	return int64(n), nil
}

// isSizeUnit asks the parser itself, so that there is one list of units.
func isSizeUnit(unit string) bool {
	_, err := humanize.ParseBytes("1 " + unit)
	return err == nil
}

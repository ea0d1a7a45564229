package filters

import (
	"math/big"
	"strings"

	"github.com/docker/go-units"
)

// sizeUnits are the units of sizes, in lower case. The parser of go-units is
// not used, because it reads 20GiB as 20GB, or 20GB as 20GiB, and overflows if
// a size is too large.
var sizeUnits = map[string]int64{
	"b": 1,
	"k": units.KB, "kb": units.KB, "ki": units.KiB, "kib": units.KiB,
	"m": units.MB, "mb": units.MB, "mi": units.MiB, "mib": units.MiB,
	"g": units.GB, "gb": units.GB, "gi": units.GiB, "gib": units.GiB,
	"t": units.TB, "tb": units.TB, "ti": units.TiB, "tib": units.TiB,
	"p": units.PB, "pb": units.PB, "pi": units.PiB, "pib": units.PiB,
	"e": 1000 * units.PB, "eb": 1000 * units.PB, "ei": 1024 * units.PiB, "eib": 1024 * units.PiB,
}

// ParseSize parses a number of bytes such as 500MB, 20GiB or 1.5 TB. B, kB, MB
// and so on are powers of 1000, KiB, MiB and so on powers of 1024, in any case.
// The unit is required, because somebody who types 20 means 20GB rather than 20
// bytes. A negative size and one of 8 EiB or more are [*Error]s.
func ParseSize(s string) (int64, error) {
	number, unit, rest := nextTerm(s)
	unit = strings.TrimPrefix(unit, " ")
	factor, known := sizeUnits[strings.ToLower(unit)]
	switch {
	case strings.HasPrefix(s, "-"):
		return 0, &Error{What: quote(s) + " is negative", Instead: "type a size such as 500MB or 20GiB"}
	case len(s) > maxInput || number == "" || rest != "" || strings.TrimSpace(unit) != unit:
		return 0, &Error{What: quote(s) + " is not a size", Instead: "type one such as 500MB or 20GiB"}
	case unit == "":
		return 0, &Error{What: quote(s) + " has no unit", Instead: "type one such as 500MB, 20GiB or 4096B"}
	case !known:
		return 0, &Error{What: quote(s) + " has an unknown unit " + quote(unit), Instead: "type B, kB, MB, GB, TB, KiB, MiB, GiB or TiB"}
	}
	exact, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, &Error{What: quote(s) + " is not a size", Instead: "type one such as 500MB or 20GiB"}
	}
	exact.Mul(exact, new(big.Rat).SetInt64(factor))
	bytes := new(big.Int).Quo(exact.Num(), exact.Denom())
	if !bytes.IsInt64() {
		return 0, &Error{What: quote(s) + " is too large", Instead: "type a size below 8EiB"}
	}
	return bytes.Int64(), nil
}

package filters

import (
	"math"
	"strings"
	"testing"
)

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{
		"0B":                   0,
		"4096B":                4096,
		"500MB":                500e6,
		"500 MB":               500e6,
		"20GiB":                20 << 30,
		"20gib":                20 << 30,
		"20g":                  20e9,
		"20Gi":                 20 << 30,
		"1.5TB":                15e11,
		"1k":                   1000,
		"7EiB":                 7 << 60,
		"9223372036854775807B": math.MaxInt64,
	} {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
}

func TestParseSizeErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                             `"" is not a size: type one such as 500MB or 20GiB`,
		"20":                           `"20" has no unit: type one such as 500MB, 20GiB or 4096B`,
		"20 ":                          `"20 " has no unit`,
		"-1GB":                         `"-1GB" is negative: type a size such as 500MB`,
		"+1GB":                         `is not a size`,
		" 1GB":                         `is not a size`,
		"1GB ":                         `is not a size`,
		"1  GB":                        `is not a size`,
		"GB":                           `is not a size`,
		".5GB":                         `is not a size`,
		"1.5.5GB":                      `is not a size`,
		"1,000GB":                      `is not a size`,
		"1GB2MB":                       `is not a size`,
		"1e3GB":                        `is not a size`,
		"1,GB":                         `has an unknown unit ",GB"`,
		"80%":                          `"80%" has an unknown unit "%": type B, kB, MB`,
		"1XB":                          `has an unknown unit "XB"`,
		"1\x1b":                        `has an unknown unit "\x1b"`,
		"infGB":                        `is not a size`,
		"9223372036854775808B":         `"9223372036854775808B" is too large: type a size below 8EiB`,
		"9223372036854775.9kB":         `is too large`,
		"8EiB":                         `is too large`,
		"16EiB":                        `is too large`,
		"99999999999PB":                `is too large`,
		strings.Repeat("9", 40) + "EB": `is too large`,
		strings.Repeat("9", 80) + "B":  `is not a size`,
	} {
		got, err := ParseSize(in)
		checkUsage(t, err, want)
		if got != 0 {
			t.Errorf("ParseSize(%q) = %v beside its error", in, got)
		}
	}
}

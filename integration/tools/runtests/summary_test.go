package main

import (
	"strings"
	"testing"
	"time"
)

const stream = `{"Action":"start","Package":"github.com/ctr-prune/ctr-prune/a"}
{"Action":"output","Package":"github.com/ctr-prune/ctr-prune/a","Test":"TestGood","Output":"nobody needs to read this\n"}
{"Action":"pass","Package":"github.com/ctr-prune/ctr-prune/a","Test":"TestGood"}
{"Action":"output","Package":"github.com/ctr-prune/ctr-prune/a","Test":"TestRoot","Output":"=== RUN   TestRoot\n"}
{"Action":"output","Package":"github.com/ctr-prune/ctr-prune/a","Test":"TestRoot","Output":"    a_test.go:7: needs root: sorry\n"}
{"Action":"output","Package":"github.com/ctr-prune/ctr-prune/a","Test":"TestRoot","Output":"--- SKIP: TestRoot (0.00s)\n"}
{"Action":"skip","Package":"github.com/ctr-prune/ctr-prune/a","Test":"TestRoot"}
{"Action":"pass","Package":"github.com/ctr-prune/ctr-prune/a","Elapsed":0.1}
`

const failing = `{"Action":"output","Package":"b","Test":"TestBad","Output":"    b_test.go:9: got 1, want 2\n"}
{"Action":"fail","Package":"b","Test":"TestBad"}
{"Action":"output","Package":"b","Test":"TestHangs","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"b","Elapsed":2}
{"ImportPath":"c","Action":"build-output","Output":"c.go:1: undefined: x\n"}
{"ImportPath":"c","Action":"build-fail"}
`

func TestSummary(t *testing.T) {
	for name, tt := range map[string]struct {
		stream      string
		ok          bool
		want, never []string
	}{
		"all is well": {stream, true,
			[]string{"ok     a", "not run: needs root: sorry\n    a TestRoot\n", "PASS: 1 tests passed, 0 failed, 1 not run"},
			[]string{"nobody", "=== RUN"}},
		"failures": {stream + failing, false,
			[]string{"got 1, want 2", "test timed out", "undefined: x", "failed: b TestBad", "FAIL   b", "FAIL: 1 tests passed, 2 failed"},
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			s := newSummary(&out)
			if err := s.read(strings.NewReader(tt.stream)); err != nil {
				t.Fatal(err)
			}
			if ok := s.print(time.Second); ok != tt.ok {
				t.Errorf("ok = %v", ok)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is missing in\n%s", want, &out)
				}
			}
			for _, never := range tt.never {
				if strings.Contains(out.String(), never) {
					t.Errorf("%q stands in\n%s", never, &out)
				}
			}
		})
	}
}

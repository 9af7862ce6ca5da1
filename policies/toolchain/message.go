package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
)

// file is one Rego source, named by its path inside the policy folder.
type file struct {
	Path    string `json:"path"`
	Text    string `json:"text"`
	Changed bool   `json:"changed,omitempty"` // fmt, rewrite and repair: the text differs from the one sent
}

// request is what an operation is asked with; Files and Capabilities always, the rest as the operation needs.
type request struct {
	Op           string            `json:"op"`
	Files        []file            `json:"files"`
	Data         map[string]any    `json:"data"`
	Capabilities *ast.Capabilities `json:"capabilities"`
	Schema       map[string]any    `json:"schema"`     // check, eval, why: JSON Schema of input, for the type checker
	Entrypoint   string            `json:"entrypoint"` // build, lint, repair
	Query        string            `json:"query"`      // eval
	Rule         string            `json:"rule"`       // why: data.package.rule
	Input        json.RawMessage   `json:"input"`      // eval, why
	Trace        int               `json:"trace"`      // eval: the most events to answer; 0 is none
	SkipTests    bool              `json:"skip_tests"` // lint: do not run the tests, hence not judge what is untested
	Run          string            `json:"run"`        // test: only those whose name matches this expression
}

// response is the answer of every operation; OK is false when the policy text is at fault, with Errors saying where.
type response struct {
	OK        bool          `json:"ok"`
	Errors    []diagnostic  `json:"errors,omitempty"`
	V0        []string      `json:"rego_v0,omitempty"`  // check: paths of files that are Rego v0
	Files     []file        `json:"files,omitempty"`    // fmt, rewrite, repair
	Wasm      []byte        `json:"wasm,omitempty"`     // build, base64
	Tests     []testResult  `json:"tests,omitempty"`    // test
	Coverage  *cover.Report `json:"coverage,omitempty"` // test
	Result    any           `json:"result,omitempty"`   // eval, why: the value, absent when undefined
	Printed   []printed     `json:"printed,omitempty"`  // eval
	Faults    []diagnostic  `json:"faults,omitempty"`   // eval: built-ins that failed, hence were undefined
	Trace     []traceEvent  `json:"trace,omitempty"`    // eval
	Cut       bool          `json:"trace_cut,omitempty"`
	Rules     []ruleReport  `json:"rules,omitempty"`     // why
	Findings  []finding     `json:"findings,omitempty"`  // lint
	Repair    *repairReport `json:"repair,omitempty"`    // repair
	Described []description `json:"described,omitempty"` // describe
}

// diagnostic is one fault in a policy's text. Row and Col count from 1; 0 when the fault has no place.
type diagnostic struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Path    string `json:"path,omitempty"`
	Row     int    `json:"row,omitempty"`
	Col     int    `json:"col,omitempty"`
	Builtin string `json:"builtin,omitempty"` // code builtin_refused: the function's name
}

type testResult struct {
	Package    string `json:"package"`
	Name       string `json:"name"`
	Outcome    string `json:"outcome"` // pass, fail, error or skip
	Message    string `json:"message,omitempty"`
	Output     string `json:"output,omitempty"` // what print() wrote
	Path       string `json:"path,omitempty"`
	Row        int    `json:"row,omitempty"`
	DurationNs int64  `json:"duration_ns"`
	// Of a rule that names cases, test_x[case]: each, in order of names.
	Cases []testCase `json:"cases,omitempty"`
}

type testCase struct {
	Name   string `json:"name"` // nested names are joined by " / "
	Failed bool   `json:"failed,omitempty"`
}

type traceEvent struct {
	Op     string `json:"op"`
	Node   string `json:"node"`
	Path   string `json:"path,omitempty"`
	Row    int    `json:"row,omitempty"`
	Col    int    `json:"col,omitempty"`
	Query  uint64 `json:"query"`
	Parent uint64 `json:"parent"`
	Text   string `json:"message,omitempty"`
}

// printed is one line that print() wrote.
type printed struct {
	Text string `json:"text"`
	Path string `json:"path,omitempty"`
	Row  int    `json:"row,omitempty"`
}

func failure(code, message string) response {
	return response{OK: false, Errors: []diagnostic{{Code: code, Message: message}}}
}

func diagnostics(err error) []diagnostic {
	var many ast.Errors
	if !errors.As(err, &many) {
		var one *ast.Error
		if !errors.As(err, &one) {
			return []diagnostic{{Code: "rego_error", Message: err.Error()}}
		}
		many = ast.Errors{one}
	}
	out := make([]diagnostic, 0, len(many))
	for _, e := range many {
		d := diagnostic{Code: e.Code, Message: e.Message}
		if e.Location != nil {
			d.Path, d.Row, d.Col = e.Location.File, e.Location.Row, e.Location.Col
		}
		out = append(out, nameRefused(d))
	}
	return out
}

// nameRefused says of a function that OPA has and policies here have not, which it is and why.
func nameRefused(d diagnostic) diagnostic {
	name, is := strings.CutPrefix(d.Message, "undefined function ")
	known := ast.BuiltinMap[name]
	if !is || known == nil {
		return d
	}
	d.Code, d.Builtin = "builtin_refused", name
	d.Message = fmt.Sprintf("%s is not there for policies: %s", name, refusal(known))
	return d
}

func refusal(b *ast.Builtin) string {
	switch {
	case b.Name == "http.send" || b.Name == "net.lookup_ip_addr":
		return "it reaches out of the process, over the network"
	case strings.HasPrefix(b.Name, "time.now"):
		return "it reads the clock; a time comes as input.now"
	case strings.HasPrefix(b.Name, "rand.") || strings.HasPrefix(b.Name, "uuid.rfc"):
		return "its answer is random"
	case b.Name == "opa.runtime":
		return "it shows this host's configuration and environment"
	case b.Nondeterministic:
		return "its answer depends on more than its arguments"
	case b.IsDeprecated():
		return "OPA has deprecated it"
	}
	return "OPA's Wasm modules do not run it by themselves, so that a test and a decision could differ"
}

package main

import (
	"encoding/json"
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
)

// file is one Rego source, named by its path inside the policy folder.
type file struct {
	Path    string `json:"path"`
	Text    string `json:"text"`
	Changed bool   `json:"changed,omitempty"` // fmt and rewrite: the text differs from the one sent
}

// request is what an operation is asked with; Files and Capabilities always, the rest as the operation needs.
type request struct {
	Op           string            `json:"op"`
	Files        []file            `json:"files"`
	Data         map[string]any    `json:"data"`
	Capabilities *ast.Capabilities `json:"capabilities"`
	Entrypoint   string            `json:"entrypoint"` // build
	Query        string            `json:"query"`      // eval
	Input        json.RawMessage   `json:"input"`      // eval
	Trace        int               `json:"trace"`      // eval: the most events to answer; 0 is none
	Run          string            `json:"run"`        // test: only those whose name matches this expression
}

// response is the answer of every operation; OK is false when the policy text is at fault, with Errors saying where.
type response struct {
	OK       bool          `json:"ok"`
	Errors   []diagnostic  `json:"errors,omitempty"`
	Files    []file        `json:"files,omitempty"`    // fmt, rewrite
	Wasm     []byte        `json:"wasm,omitempty"`     // build, base64
	Tests    []testResult  `json:"tests,omitempty"`    // test
	Coverage *cover.Report `json:"coverage,omitempty"` // test
	Result   any           `json:"result,omitempty"`   // eval: the value of the query, absent when undefined
	Trace    []traceEvent  `json:"trace,omitempty"`    // eval
	Cut      bool          `json:"trace_cut,omitempty"`
}

// diagnostic is one fault in a policy's text. Row and Col count from 1; 0 when the fault has no place.
type diagnostic struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Path    string `json:"path,omitempty"`
	Row     int    `json:"row,omitempty"`
	Col     int    `json:"col,omitempty"`
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
		out = append(out, d)
	}
	return out
}

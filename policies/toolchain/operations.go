package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
)

var operations = map[string]func(*request) (response, error){
	"check":   check,
	"fmt":     reformat,
	"rewrite": rewrite,
	"build":   build,
	"test":    test,
	"eval":    eval,
}

// parse reads every file as Rego v1; all syntax errors of all files are answered together.
func parse(req *request) (map[string]*ast.Module, error) {
	modules := make(map[string]*ast.Module, len(req.Files))
	var faults ast.Errors
	for _, f := range req.Files {
		m, err := ast.ParseModuleWithOpts(f.Path, f.Text, ast.ParserOptions{
			RegoVersion: ast.RegoV1, Capabilities: req.Capabilities, ProcessAnnotation: true,
		})
		var syntax ast.Errors
		if errors.As(err, &syntax) {
			faults = append(faults, syntax...)
		} else if err != nil {
			return nil, err
		} else if m == nil {
			faults = append(faults, ast.NewError(ast.ParseErr, &ast.Location{File: f.Path, Row: 1, Col: 1}, "the file is empty"))
		} else {
			modules[f.Path] = m
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return modules, nil
}

func compiler(req *request) *ast.Compiler {
	return ast.NewCompiler().
		WithStrict(true).
		WithCapabilities(req.Capabilities).
		WithEnablePrintStatements(true).
		WithUseTypeCheckAnnotations(true)
}

func compileStrictly(req *request) (*ast.Compiler, error) {
	modules, err := parse(req)
	if err != nil {
		return nil, err
	}
	c := compiler(req)
	if c.Compile(modules); c.Failed() {
		return nil, c.Errors
	}
	return c, nil
}

func check(req *request) (response, error) {
	_, err := compileStrictly(req)
	return response{OK: err == nil}, err
}

func reformat(req *request) (response, error) {
	return formatted(req, ast.RegoV1, false)
}

// rewrite turns Rego v0 text into Rego v1. The result parses as v1; whether it compiles is for check to say.
func rewrite(req *request) (response, error) {
	return formatted(req, ast.RegoV0, true)
}

func formatted(req *request, from ast.RegoVersion, dropImports bool) (response, error) {
	res := response{OK: true}
	for _, f := range req.Files {
		text, err := format.SourceWithOpts(f.Path, []byte(f.Text), format.Opts{
			RegoVersion:                   ast.RegoV1,
			ParserOptions:                 &ast.ParserOptions{RegoVersion: from},
			DropRedundantDirectiveImports: dropImports,
			Capabilities:                  req.Capabilities,
		})
		if err != nil {
			return res, err
		}
		res.Files = append(res.Files, file{Path: f.Path, Text: string(text), Changed: f.Text != string(text)})
	}
	return res, nil
}

// build makes one Wasm module with one entrypoint out of every file but the tests, in order of their paths.
func build(req *request) (response, error) {
	sources := *req
	sources.Files = nil
	for _, f := range req.Files {
		if !strings.HasSuffix(f.Path, "_test.rego") {
			sources.Files = append(sources.Files, f)
		}
	}
	sort.Slice(sources.Files, func(i, j int) bool { return sources.Files[i].Path < sources.Files[j].Path })
	if _, err := compileStrictly(&sources); err != nil {
		return response{}, err
	}
	modules, err := parse(&sources)
	if err != nil {
		return response{}, err
	}
	b := &bundle.Bundle{Data: map[string]any{}}
	b.SetRegoVersion(ast.RegoV1)
	b.Manifest.Init()
	for _, f := range sources.Files {
		b.Modules = append(b.Modules, bundle.ModuleFile{
			URL: f.Path, Path: f.Path, Raw: []byte(f.Text), Parsed: modules[f.Path],
		})
	}
	c := compile.New().
		WithRegoVersion(ast.RegoV1).
		WithCapabilities(req.Capabilities).
		WithTarget(compile.TargetWasm).
		WithEntrypoints(req.Entrypoint).
		WithBundle(b)
	if err := c.Build(context.Background()); err != nil {
		return response{}, err
	}
	built := c.Bundle().WasmModules
	if len(built) != 1 {
		return response{}, fmt.Errorf("the compiler made %d Wasm modules, not one", len(built))
	}
	return response{OK: true, Wasm: built[0].Raw}, nil
}

func test(req *request) (response, error) {
	modules, err := parse(req)
	if err != nil {
		return response{}, err
	}
	ctx := context.Background()
	store := inmem.NewFromObject(data(req))
	txn, err := store.NewTransaction(ctx)
	if err != nil {
		return response{}, err
	}
	defer store.Abort(ctx, txn)
	coverage := cover.New()
	results, err := tester.NewRunner().
		SetCompiler(compiler(req)).
		SetStore(store).
		CapturePrintOutput(true).
		SetCoverageQueryTracer(coverage).
		SetModules(modules).
		Filter(req.Run).
		SetParallel(1).
		RunTests(ctx, txn)
	if err != nil {
		return response{}, err
	}
	res := response{OK: true}
	for r := range results {
		t := testResult{
			Package: r.Package, Name: r.Name, Outcome: "pass", Output: string(r.Output), DurationNs: r.Duration.Nanoseconds(),
		}
		switch {
		case r.Error != nil:
			t.Outcome, t.Message = "error", r.Error.Error()
		case r.Skip:
			t.Outcome = "skip"
		case r.Fail:
			t.Outcome = "fail"
			if r.FailedAt != nil {
				t.Message = fmt.Sprintf("line %d: %s", r.FailedAt.Location.Row, r.FailedAt.Location.Text)
			}
		}
		if r.Location != nil {
			t.Path, t.Row = r.Location.File, r.Location.Row
		}
		res.Tests = append(res.Tests, t)
	}
	report := coverage.Report(modules)
	res.Coverage = &report
	return res, nil
}

func eval(req *request) (response, error) {
	c, err := compileStrictly(req)
	if err != nil {
		return response{}, err
	}
	options := []func(*rego.Rego){
		rego.Compiler(c),
		rego.Query(req.Query),
		rego.Store(inmem.NewFromObject(data(req))),
		rego.Capabilities(req.Capabilities),
		rego.SetRegoVersion(ast.RegoV1),
	}
	if len(req.Input) > 0 {
		var input any
		decoder := json.NewDecoder(bytes.NewReader(req.Input))
		decoder.UseNumber()
		if err := decoder.Decode(&input); err != nil {
			return response{}, fmt.Errorf("input: %w", err)
		}
		options = append(options, rego.Input(input))
	}
	trace := &limitedTracer{limit: req.Trace}
	if req.Trace > 0 {
		options = append(options, rego.QueryTracer(trace))
	}
	answers, err := rego.New(options...).Eval(context.Background())
	if err != nil {
		return response{}, err
	}
	res := response{OK: true, Trace: trace.events, Cut: trace.cut}
	if len(answers) > 0 && len(answers[0].Expressions) > 0 {
		res.Result = answers[0].Expressions[0].Value
	}
	return res, nil
}

func data(req *request) map[string]any {
	if req.Data == nil {
		return map[string]any{}
	}
	return req.Data
}

// limitedTracer keeps the first `limit` events, so that a long evaluation cannot fill the memory with its trace.
type limitedTracer struct {
	limit  int
	cut    bool
	events []traceEvent
}

func (t *limitedTracer) Enabled() bool { return t.limit > 0 }

func (t *limitedTracer) Config() topdown.TraceConfig {
	return topdown.TraceConfig{PlugLocalVars: false}
}

func (t *limitedTracer) TraceEvent(e topdown.Event) {
	if len(t.events) >= t.limit {
		t.cut = true
		return
	}
	out := traceEvent{Op: string(e.Op), Query: e.QueryID, Parent: e.ParentID, Text: e.Message}
	if e.Node != nil {
		out.Node = fmt.Sprint(e.Node)
	}
	if e.Location != nil {
		out.Path, out.Row, out.Col = e.Location.File, e.Location.Row, e.Location.Col
	}
	t.events = append(t.events, out)
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/print"
)

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
		for names, sub := range r.SubResults.Iter {
			if len(sub.SubResults) == 0 {
				t.Cases = append(t.Cases, testCase{Name: strings.Join(names, " / "), Failed: sub.Fail})
			}
		}
		sort.Slice(t.Cases, func(i, j int) bool { return t.Cases[i].Name < t.Cases[j].Name })
		if r.Location != nil {
			t.Path, t.Row = r.Location.File, r.Location.Row
		}
		res.Tests = append(res.Tests, t)
	}
	report := coverage.Report(modules)
	res.Coverage = &report
	return res, nil
}

// eval answers the value of a query, what it printed, and the built-ins that failed on the way.
func eval(req *request) (response, error) {
	c, err := compileStrictly(req)
	if err != nil {
		return response{}, err
	}
	output := &printer{}
	var faults []topdown.Error
	options := []func(*rego.Rego){rego.PrintHook(output), rego.BuiltinErrorList(&faults)}
	trace := &limitedTracer{limit: req.Trace}
	if req.Trace > 0 {
		options = append(options, rego.QueryTracer(trace))
	}
	value, err := ask(req, c, req.Query, options...)
	if err != nil {
		return response{}, err
	}
	res := response{OK: true, Result: value, Trace: trace.events, Cut: trace.cut, Printed: output.lines}
	for i := range faults {
		d := diagnostic{Code: faults[i].Code, Message: faults[i].Message}
		if at := faults[i].Location; at != nil {
			d.Path, d.Row, d.Col = at.File, at.Row, at.Col
		}
		res.Faults = append(res.Faults, d)
	}
	return res, nil
}

// ask answers the value of a query over the request's data and input; nil when it is undefined.
func ask(req *request, c *ast.Compiler, query string, more ...func(*rego.Rego)) (any, error) {
	options := append([]func(*rego.Rego){
		rego.Compiler(c),
		rego.Query(query),
		rego.Store(inmem.NewFromObject(data(req))),
		rego.Capabilities(req.Capabilities),
		rego.SetRegoVersion(ast.RegoV1),
		rego.EnablePrintStatements(true),
	}, more...)
	input, err := inputOf(req)
	if err != nil {
		return nil, err
	}
	if input != nil {
		options = append(options, rego.Input(*input))
	}
	answers, err := rego.New(options...).Eval(context.Background())
	if err != nil || len(answers) == 0 || len(answers[0].Expressions) == 0 {
		return nil, err
	}
	return answers[0].Expressions[0].Value, nil
}

func storeOf(req *request) (context.Context, storage.Store) {
	return context.Background(), inmem.NewFromObject(data(req))
}

// inputOf is the request's input with its numbers as written; nil where none was given.
func inputOf(req *request) (*any, error) {
	if len(req.Input) == 0 {
		return nil, nil
	}
	var input any
	decoder := json.NewDecoder(bytes.NewReader(req.Input))
	decoder.UseNumber()
	if err := decoder.Decode(&input); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	return &input, nil
}

const (
	mostPrinted      = 1000
	longestPrintLine = 2000
)

// printer keeps the first lines that print() writes.
type printer struct{ lines []printed }

func (p *printer) Print(at print.Context, text string) error {
	if len(p.lines) >= mostPrinted {
		return nil
	}
	if len(text) > longestPrintLine {
		text = strings.ToValidUTF8(text[:longestPrintLine], "") + "..."
	}
	line := printed{Text: text}
	if at.Location != nil {
		line.Path, line.Row = at.Location.File, at.Location.Row
	}
	p.lines = append(p.lines, line)
	return nil
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

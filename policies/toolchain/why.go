package main

import (
	"sort"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// ruleReport says of one definition of a rule whether it fired for an input, and if not, where it stopped.
type ruleReport struct {
	Rule    string   `json:"rule"` // data.package.name
	Path    string   `json:"path"`
	Row     int      `json:"row"`
	Head    string   `json:"head"`
	Default bool     `json:"default,omitempty"`
	Asked   bool     `json:"asked"`             // evaluated at all: something asked for it
	Fired   int      `json:"fired"`             // number of times
	Stopped []stop   `json:"stopped,omitempty"` // conditions that did not hold, the furthest first
	Uses    []string `json:"uses,omitempty"`    // rules that the furthest of them reads
}

// stop is a condition that did not hold.
type stop struct {
	Path  string `json:"path"`
	Row   int    `json:"row"`
	Col   int    `json:"col"`
	Text  string `json:"text"`
	Kind  string `json:"kind"` // false, undefined, or negated: what stands after `not` holds
	Times int    `json:"times"`
	Reads []read `json:"reads,omitempty"`
	index int
}

// read is a value that a condition read, as it was when the condition failed last; Value is absent when undefined.
type read struct {
	Name    string `json:"name"`
	Value   any    `json:"value,omitempty"`
	Defined bool   `json:"defined"`
}

const (
	mostReports = 200
	mostStops   = 20
	mostReads   = 12
)

// why evaluates one rule and answers for each of its definitions, and of those it reads, where it stopped. Indexing
// and early exit are off, so that a definition which OPA would have skipped is tried and its condition named.
func why(req *request) (response, error) {
	c, err := compileStrictly(req)
	if err != nil {
		return response{}, err
	}
	parsed, err := parse(req)
	if err != nil {
		return response{}, err
	}
	tracer := &stopTracer{queries: map[uint64]*ast.Rule{}, seen: map[*ast.Rule]*tried{}, texts: conditions(parsed)}
	value, err := askTraced(req, c, req.Rule, tracer)
	if err != nil {
		return response{}, err
	}
	root, err := ast.ParseRef(req.Rule)
	if err != nil {
		return response{}, err
	}
	look := &looker{req: req, c: c, known: map[string]read{}}
	if input, err := inputOf(req); err != nil {
		return response{}, err
	} else if input != nil {
		if look.input, err = ast.InterfaceToValue(*input); err != nil {
			return response{}, err
		}
	}
	res := response{OK: true, Result: value}
	for _, name := range sortedKeys(c.Modules) {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		ast.WalkRules(c.Modules[name], func(rule *ast.Rule) bool {
			t, asked := tracer.seen[rule]
			if !asked && !rule.Path().HasPrefix(root) || len(res.Rules) >= mostReports {
				return false
			}
			report := ruleReport{
				Rule: rule.Path().String(), Path: rule.Location.File, Row: rule.Location.Row,
				Head: firstLine(rule.Location), Default: rule.Default, Asked: asked,
			}
			if asked {
				report.Fired = t.fired
				report.Stopped, report.Uses = t.report(look, parsed[name])
			}
			res.Rules = append(res.Rules, report)
			return false
		})
	}
	// The rule that was asked for, then those it led to.
	sort.SliceStable(res.Rules, func(i, j int) bool {
		return (res.Rules[i].Rule == req.Rule) && (res.Rules[j].Rule != req.Rule)
	})
	return res, nil
}

func askTraced(req *request, c *ast.Compiler, query string, tracer topdown.QueryTracer) (any, error) {
	input, err := inputOf(req)
	if err != nil {
		return nil, err
	}
	ctx, store := storeOf(req)
	prepared, err := rego.New(rego.Compiler(c), rego.Query(query), rego.Store(store),
		rego.Capabilities(req.Capabilities), rego.SetRegoVersion(ast.RegoV1)).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	options := []rego.EvalOption{
		rego.EvalQueryTracer(tracer), rego.EvalRuleIndexing(false), rego.EvalEarlyExit(false),
	}
	if input != nil {
		options = append(options, rego.EvalInput(*input))
	}
	answers, err := prepared.Eval(ctx, options...)
	if err != nil || len(answers) == 0 || len(answers[0].Expressions) == 0 {
		return nil, err
	}
	return answers[0].Expressions[0].Value, nil
}

// tried is what became of one definition of a rule.
type tried struct {
	fired int
	stops map[string]*failed
}

type failed struct {
	at     *ast.Expr // as written
	index  int       // of the expression in the compiled body
	times  int
	locals map[ast.Var]ast.Value
}

// stopTracer notes for each definition of a rule where its body failed.
type stopTracer struct {
	queries map[uint64]*ast.Rule
	seen    map[*ast.Rule]*tried
	texts   map[string][]*ast.Expr
}

func (t *stopTracer) Enabled() bool               { return true }
func (t *stopTracer) Config() topdown.TraceConfig { return topdown.TraceConfig{PlugLocalVars: true} }

func (t *stopTracer) TraceEvent(e topdown.Event) {
	switch node := e.Node.(type) {
	case *ast.Rule:
		if e.Op == topdown.EnterOp {
			t.queries[e.QueryID] = node
			if t.seen[node] == nil {
				t.seen[node] = &tried{stops: map[string]*failed{}}
			}
		} else if e.Op == topdown.ExitOp && t.seen[node] != nil {
			t.seen[node].fired++
		}
	case *ast.Expr:
		rule := t.queries[e.QueryID]
		if e.Op != topdown.FailOp || rule == nil || node.Location == nil {
			return
		}
		written := t.written(node)
		into := t.seen[rule]
		key := placeOf(written.Location)
		f := into.stops[key]
		if f == nil {
			if len(into.stops) >= mostStops {
				return
			}
			f = &failed{at: written}
			into.stops[key] = f
		}
		f.times++
		f.index = max(f.index, node.Index)
		f.locals = localsOf(&e)
	}
}

func localsOf(e *topdown.Event) map[ast.Var]ast.Value {
	out := map[ast.Var]ast.Value{}
	if e.Locals == nil {
		return out
	}
	e.Locals.Iter(func(k, v ast.Value) bool {
		if name, ok := k.(ast.Var); ok {
			if meta, ok := e.LocalMetadata[name]; ok {
				name = meta.Name
			}
			out[name] = v
		}
		return false
	})
	return out
}

// conditions are the expressions of all bodies as written, by file, in order of their places.
func conditions(modules map[string]*ast.Module) map[string][]*ast.Expr {
	out := map[string][]*ast.Expr{}
	for path, m := range modules {
		ast.WalkExprs(m, func(e *ast.Expr) bool {
			if e.Location != nil {
				out[path] = append(out[path], e)
			}
			return false
		})
		sort.SliceStable(out[path], func(i, j int) bool { return before(out[path][i].Location, out[path][j].Location) })
	}
	return out
}

func before(a, b *ast.Location) bool {
	return a.Row < b.Row || a.Row == b.Row && a.Col < b.Col
}

// written is the expression in the source that a compiled one stands for: the last that begins no later.
func (t *stopTracer) written(e *ast.Expr) *ast.Expr {
	found := e
	for _, one := range t.texts[e.Location.File] {
		if before(e.Location, one.Location) {
			break
		}
		if found == e || !before(one.Location, found.Location) && one.Location.Offset+len(one.Location.Text) >= e.Location.Offset {
			found = one
		}
	}
	return found
}

func (t *tried) report(look *looker, m *ast.Module) ([]stop, []string) {
	var out []stop
	uses := map[string][]string{}
	for key, f := range t.stops {
		reads, used := look.reads(f, m)
		s := stop{
			Path: f.at.Location.File, Row: f.at.Location.Row, Col: f.at.Location.Col,
			Text: textOf(f.at), Kind: "false", Times: f.times, Reads: reads, index: f.index,
		}
		uses[key] = used
		for _, r := range reads {
			if !r.Defined {
				s.Kind = "undefined"
			}
		}
		if f.at.IsNegated() && s.Kind == "false" {
			s.Kind = "negated"
		}
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].index != out[j].index {
			return out[i].index > out[j].index
		}
		return out[i].Row > out[j].Row
	})
	if len(out) == 0 {
		return nil, nil
	}
	return out, uses[placeOf(&ast.Location{File: out[0].Path, Row: out[0].Row, Col: out[0].Col})]
}

// looker finds the values that conditions read.
type looker struct {
	req   *request
	c     *ast.Compiler
	input ast.Value
	known map[string]read
}

func (l *looker) reads(f *failed, m *ast.Module) (out []read, uses []string) {
	names := map[string]bool{}
	add := func(r read) {
		if !names[r.Name] && len(out) < mostReads {
			names[r.Name] = true
			out = append(out, r)
		}
	}
	ast.WalkTerms(f.at, func(term *ast.Term) bool {
		switch v := term.Value.(type) {
		case ast.Ref:
			plugged := plug(v, f.locals)
			if plugged == nil {
				return false
			}
			if plugged[0].Equal(ast.InputRootDocument) {
				if len(plugged) == 1 {
					return true
				}
				add(l.fromInput(plugged))
				return true
			}
			if local, ok := f.locals[headVar(v)]; ok {
				found, err := local.Find(plugged[1:])
				add(toRead(v.String(), found, err == nil))
				return true
			}
			if full := inPackage(plugged, m); full != nil {
				uses = append(uses, full.String())
				add(l.fromData(full))
			}
			return true
		case ast.Var:
			if local, ok := f.locals[v]; ok && !v.IsWildcard() {
				add(toRead(string(v), local, true))
			} else if full := inPackage(ast.Ref{ast.NewTerm(v)}, m); full != nil {
				uses = append(uses, full.String())
				add(l.fromData(full))
			}
		}
		return false
	})
	return out, uses
}

func headVar(r ast.Ref) ast.Var {
	v, _ := r[0].Value.(ast.Var)
	return v
}

// plug puts the values of local variables into a reference; nil when one is still open.
func plug(r ast.Ref, locals map[ast.Var]ast.Value) ast.Ref {
	out := make(ast.Ref, len(r))
	copy(out, r)
	for i, term := range out {
		v, is := term.Value.(ast.Var)
		if i == 0 || !is {
			if i > 0 && !term.IsGround() {
				return nil
			}
			continue
		}
		value, ok := locals[v]
		if !ok {
			return nil
		}
		out[i] = ast.NewTerm(value)
	}
	return out
}

// inPackage is the full path of a rule that a reference in this module names, or nil.
func inPackage(r ast.Ref, m *ast.Module) ast.Ref {
	if r[0].Equal(ast.DefaultRootDocument) {
		return r
	}
	name, ok := r[0].Value.(ast.Var)
	if !ok {
		return nil
	}
	for _, i := range m.Imports {
		if i.Name() == name && i.Path.Value.(ast.Ref)[0].Equal(ast.DefaultRootDocument) {
			return i.Path.Value.(ast.Ref).Concat(r[1:])
		}
	}
	for _, rule := range m.Rules {
		if headVar(rule.Head.Ref()) == name && len(rule.Head.Args) == 0 {
			return m.Package.Path.Append(ast.StringTerm(string(name))).Concat(r[1:])
		}
	}
	return nil
}

func (l *looker) fromInput(r ast.Ref) read {
	if l.input == nil {
		return read{Name: r.String()}
	}
	found, err := l.input.Find(r[1:])
	return toRead(r.String(), found, err == nil)
}

func (l *looker) fromData(r ast.Ref) read {
	name := r.String()
	if known, ok := l.known[name]; ok {
		return known
	}
	value, err := ask(l.req, l.c, name)
	out := read{Name: name, Value: value, Defined: err == nil && value != nil}
	l.known[name] = out
	return out
}

func toRead(name string, v ast.Value, defined bool) read {
	out := read{Name: name, Defined: defined}
	if defined {
		if value, err := ast.JSON(v); err == nil {
			out.Value = value
		}
	}
	return out
}

func placeOf(l *ast.Location) string { return l.String() }

func firstLine(l *ast.Location) string {
	line, _, _ := strings.Cut(string(l.Text), "\n")
	return strings.TrimSpace(line)
}

// textOf is an expression as written, cut to a line's length.
func textOf(e *ast.Expr) string {
	text := strings.TrimSpace(string(e.Location.Text))
	if short := strings.TrimSpace(e.String()); len(text) < 2 || len(text) > 300 {
		text = short
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

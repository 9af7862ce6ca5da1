package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ast/location"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// repairReport says what was wrong with a text, what was changed, and where the answers differ now.
type repairReport struct {
	Found     []found      `json:"found"`
	Changes   []change     `json:"changes"`
	Pairs     []pair       `json:"pairs"`               // of complete `decision` rules, as sent
	Examples  []example    `json:"examples"`            // inputs whose decision differs, found by evaluating both texts
	Tried     int          `json:"tried"`               // inputs that were evaluated in both
	Remaining []diagnostic `json:"remaining,omitempty"` // what still does not compile
}

// found is what OPA says of one file as it was sent.
type found struct {
	Path   string       `json:"path"`
	RegoV0 bool         `json:"rego_v0"`
	AsV1   []diagnostic `json:"as_v1,omitempty"` // syntax
	AsV0   []diagnostic `json:"as_v0,omitempty"` // by itself, for files that are v0
}

// change is one edit. Meaning: same, mended (the text did not compile before), or changed.
type change struct {
	ID      string `json:"id"`
	Path    string `json:"path"`
	Row     int    `json:"row,omitempty"`
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
	What    string `json:"what"`
	Meaning string `json:"meaning"`
}

// pair are two complete rules with different values. Apart is why they never hold together; "" when they may, which
// is an evaluation error.
type pair struct {
	A     string `json:"a"`
	B     string `json:"b"`
	Apart string `json:"apart,omitempty"`
}

type example struct {
	Input  any `json:"input"`
	Before any `json:"before,omitempty"` // absent: undefined; {"error": ...} when it failed
	After  any `json:"after,omitempty"`
}

const (
	mostExamples = 20
	mostTried    = 300
	mostEdits    = 200
)

// repair mends what a machine can: Rego v0, a variable declared twice, an assignment where a test was meant, and
// complete `decision` rules that would conflict with those of other files. It answers the new text and every change
// with what it means. Decisions become reasons only where the file that merges reasons (decision.rego) is sent along.
func repair(req *request) (response, error) {
	report := &repairReport{Changes: []change{}, Pairs: []pair{}, Examples: []example{}}
	var out []file
	before := map[string]*ast.Module{}
	for _, f := range req.Files {
		v0 := isV0(f, req.Capabilities)
		report.Found = append(report.Found, judge(f, v0, req))
		text := f.Text
		if v0 {
			formatted, err := format.SourceWithOpts(f.Path, []byte(text), format.Opts{
				RegoVersion: ast.RegoV1, ParserOptions: &ast.ParserOptions{RegoVersion: ast.RegoV0},
				DropRedundantDirectiveImports: true,
			})
			if err != nil {
				return response{}, err
			}
			text = string(formatted)
			report.Changes = append(report.Changes, change{
				ID: "rewrite_v1", Path: f.Path, Meaning: "same",
				What: "Rego v0 became Rego v1: `if` before a rule's body, `contains` for sets",
			})
		}
		mended, err := mend(f.Path, text, report, "declared_twice")
		if err != nil {
			return response{}, err
		}
		if !merges(f.Path) {
			if before[f.Path], err = v1(f.Path, mended); err != nil {
				return response{}, err
			}
		}
		text, err = mend(f.Path, mended, report, "assigned_not_tested")
		if err != nil {
			return response{}, err
		}
		out = append(out, file{Path: f.Path, Text: text})
	}
	pairsOf(before, report)
	if err := merge(out, req, report); err != nil {
		return response{}, err
	}
	for i, f := range out {
		text, err := format.SourceWithOpts(f.Path, []byte(f.Text), format.Opts{RegoVersion: ast.RegoV1})
		if err != nil {
			return response{}, err
		}
		out[i].Text = string(text)
		out[i].Changed = out[i].Text != req.Files[i].Text
	}
	after := *req
	after.Files = out
	c, err := compileStrictly(&after)
	if err != nil {
		report.Remaining = diagnostics(err)
	} else {
		compare(req, before, c, report)
	}
	return response{OK: true, Files: out, Repair: report}, nil
}

func judge(f file, v0 bool, req *request) found {
	alone := *req
	alone.Files = []file{f}
	out := found{Path: f.Path, RegoV0: v0}
	if _, err := parse(&alone); err != nil {
		out.AsV1 = diagnostics(err)
	}
	if v0 {
		m, err := ast.ParseModuleWithOpts(f.Path, f.Text, ast.ParserOptions{RegoVersion: ast.RegoV0})
		if err == nil {
			c := ast.NewCompiler().WithDefaultRegoVersion(ast.RegoV0)
			if c.Compile(map[string]*ast.Module{f.Path: m}); c.Failed() {
				err = c.Errors
			}
		}
		if err != nil {
			out.AsV0 = diagnostics(err)
		}
	}
	return out
}

func v1(path, text string) (*ast.Module, error) {
	return ast.ParseModuleWithOpts(path, text, ast.ParserOptions{RegoVersion: ast.RegoV1})
}

// mend applies one kind of edit until there is nothing left of it.
func mend(path, text string, report *repairReport, kind string) (string, error) {
	for range mostEdits {
		m, err := v1(path, text)
		if err != nil {
			return "", err
		}
		var at *location.Location
		var with string
		ast.WalkRules(m, func(r *ast.Rule) bool {
			ast.WalkBodies(r, func(body ast.Body) bool {
				if at == nil {
					if kind == "declared_twice" {
						at = declaredTwice(body)
					} else {
						at, with = assignedNotTested(body, r)
					}
				}
				return at != nil
			})
			return at != nil
		})
		if at == nil {
			return text, nil
		}
		c := change{ID: kind, Path: path, Row: at.Row, Before: string(at.Text), After: with}
		if kind == "declared_twice" {
			c.Meaning = "mended"
			c.What = "`some` and `:=` both declared the variable, which does not compile; `:=` is enough"
		} else {
			c.Meaning = "changed"
			c.What = "assigning is no test: it holds for any value, false included. Now the value must be true"
		}
		report.Changes = append(report.Changes, c)
		text = replaceAt(text, at, with)
	}
	return text, nil
}

// declaredTwice is the place of `some x` before `x := ...` in one body.
func declaredTwice(body ast.Body) *location.Location {
	for i, e := range body {
		decl, is := e.Terms.(*ast.SomeDecl)
		if !is || len(decl.Symbols) != 1 {
			continue
		}
		for _, later := range body[i+1:] {
			if terms, is := later.Terms.([]*ast.Term); is && later.IsAssignment() && terms[1].Equal(decl.Symbols[0]) {
				return e.Location
			}
		}
	}
	return nil
}

// assignedNotTested is the place of `x := input.y` whose x nothing uses, and the test that was meant.
func assignedNotTested(body ast.Body, r *ast.Rule) (*location.Location, string) {
	for _, e := range body {
		terms, is := e.Terms.([]*ast.Term)
		if !is || !e.IsAssignment() || !readsInput(terms[2]) {
			continue
		}
		if v, is := terms[1].Value.(ast.Var); is && (v.IsWildcard() || !testedElsewhere(v, e, r)) {
			return e.Location, terms[2].String() + " == true"
		}
	}
	return nil, ""
}

// replaceAt puts other text in the place of a node; a line that is empty then goes too.
func replaceAt(text string, at *location.Location, with string) string {
	start, end := at.Offset, at.Offset+len(at.Text)
	if with == "" {
		lineStart := strings.LastIndexByte(text[:start], '\n') + 1
		lineEnd := end + strings.IndexByte(text[end:]+"\n", '\n')
		if strings.TrimSpace(text[lineStart:start]+text[end:lineEnd]) == "" {
			return text[:lineStart] + text[min(lineEnd+1, len(text)):]
		}
	}
	return text[:start] + with + text[end:]
}

type decisionRule struct {
	rule *ast.Rule
	m    *ast.Module
}

func decisionsOf(modules map[string]*ast.Module) (out []decisionRule) {
	for _, path := range sortedKeys(modules) {
		for _, r := range modules[path].Rules {
			if !isTest(path) && !r.Default && r.Head.Ref().String() == "decision" && r.Else == nil && len(r.Head.Args) == 0 {
				out = append(out, decisionRule{r, modules[path]})
			}
		}
	}
	return out
}

func pairsOf(modules map[string]*ast.Module, report *repairReport) {
	all := decisionsOf(modules)
	place := func(r *ast.Rule) string { return fmt.Sprintf("%s:%d", r.Location.File, r.Location.Row) }
	for i, b := range all {
		for _, a := range all[:i] {
			if !a.rule.Head.Value.Equal(b.rule.Head.Value) {
				report.Pairs = append(report.Pairs, pair{
					A: place(a.rule), B: place(b.rule), Apart: apart(demands(a.rule.Body, a.m), demands(b.rule.Body, b.m)),
				})
			}
		}
	}
}

// merges is true of the file that makes one decision of the reasons of all others.
func merges(path string) bool {
	return path == "decision.rego" || strings.HasSuffix(path, "/decision.rego")
}

// merge turns complete `decision` rules into reasons, where a file that merges reasons was sent along.
func merge(files []file, req *request, report *repairReport) error {
	merging := ""
	for _, f := range files {
		if merges(f.Path) {
			merging = f.Path
		}
	}
	if merging == "" {
		return nil
	}
	for i := range files {
		f := &files[i]
		if f.Path == merging || isTest(f.Path) {
			continue
		}
		for range mostEdits {
			m, err := v1(f.Path, f.Text)
			if err != nil {
				return err
			}
			at, with, c := nextReason(m)
			if at == nil {
				break
			}
			c.Path, c.Row, c.Before, c.After = f.Path, at.Row, f.Text[at.Offset:at.Offset+len(at.Text)], with
			if c.Meaning == "" {
				c.Meaning = "same"
				for _, p := range report.Pairs {
					if p.Apart == "" {
						c.Meaning = "changed"
					}
				}
			}
			report.Changes = append(report.Changes, c)
			f.Text = replaceAt(f.Text, at, with)
		}
	}
	return nil
}

// nextReason is the first complete decision of constants, and the reasons that say the same beside other policies.
func nextReason(m *ast.Module) (*location.Location, string, change) {
	for _, r := range m.Rules {
		if r.Head.Ref().String() != "decision" || r.Else != nil || r.Head.Value == nil {
			continue
		}
		value, err := ast.JSON(r.Head.Value.Value)
		if err != nil {
			continue
		}
		decision, is := value.(map[string]any)
		if !is || len(decision) != 2 {
			continue
		}
		result, _ := decision["result"].(string)
		reasons, is := decision["reasons"].([]any)
		if !is {
			continue
		}
		if r.Default && result == "allow" && len(reasons) == 0 {
			return wholeOf(r), "", change{
				ID: "default_dropped", Meaning: "same",
				What: "decision.rego allows where nothing was said, for all policies together",
			}
		}
		if r.Default || result != "deny" && result != "approve" || len(reasons) == 0 {
			continue
		}
		var lines []string
		for _, reason := range reasons {
			text, err := ast.InterfaceToValue(reason)
			if err != nil {
				continue
			}
			lines = append(lines, fmt.Sprintf("%s contains %v if {\n%s\n}", result, text, bodyText(r)))
		}
		return wholeOf(r), strings.Join(lines, "\n\n"), change{
			ID:   "decision_to_reasons",
			What: "two complete decisions for one input are an evaluation error; as reasons they merge: deny beats approve beats allow",
		}
	}
	return nil, "", change{}
}

// wholeOf is the place of a rule from its first to its last character. (OPA's own location of a default rule is the
// word `default`.)
func wholeOf(r *ast.Rule) *location.Location {
	at := *r.Location
	if value := r.Head.Value.Location; r.Default && value != nil {
		source := value.Offset + len(value.Text)
		at.Text = append(append([]byte{}, at.Text...), make([]byte, max(0, source-at.Offset-len(at.Text)))...)
	}
	return &at
}

// bodyText is the conditions of a rule, a line each, as OPA writes them.
func bodyText(r *ast.Rule) string {
	lines := make([]string, 0, len(r.Body))
	for _, e := range r.Body {
		text := string(e.Location.Text)
		if text == "" {
			text = e.String()
		}
		lines = append(lines, "\t"+text)
	}
	return strings.Join(lines, "\n")
}

// compare evaluates the text as sent (but for what kept it from compiling) and as repaired, on inputs around every
// condition, and keeps those whose decisions differ.
func compare(req *request, before map[string]*ast.Module, after *ast.Compiler, report *repairReport) {
	old := ast.NewCompiler()
	if old.Compile(copied(before)); old.Failed() {
		return
	}
	all := decisionsOf(before)
	if len(all) == 0 {
		return
	}
	query := all[0].m.Package.Path.String() + ".decision"
	store := inmem.NewFromObject(data(req))
	prepare := func(c *ast.Compiler) *rego.PreparedEvalQuery {
		q, err := rego.New(rego.Compiler(c), rego.Query(query), rego.Store(store)).PrepareForEval(ctxOf())
		if err != nil {
			return nil
		}
		return &q
	}
	was, is := prepare(old), prepare(after)
	if was == nil || is == nil {
		return
	}
	for _, input := range around(all) {
		if report.Tried >= mostTried || len(report.Examples) >= mostExamples {
			return
		}
		report.Tried++
		a, b := decide(was, input), decide(is, input)
		if !reflect.DeepEqual(a, b) {
			report.Examples = append(report.Examples, example{Input: input, Before: a, After: b})
		}
	}
}

func copied(modules map[string]*ast.Module) map[string]*ast.Module {
	out := make(map[string]*ast.Module, len(modules))
	for path, m := range modules {
		if !isTest(path) {
			out[path] = m.Copy()
		}
	}
	return out
}

func decide(q *rego.PreparedEvalQuery, input any) any {
	answers, err := q.Eval(ctxOf(), rego.EvalInput(input))
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	if len(answers) == 0 {
		return nil
	}
	return answers[0].Expressions[0].Value
}

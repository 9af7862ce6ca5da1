package main

import (
	"fmt"
	"sort"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ast/location"
)

// finding is a place where a policy probably does not mean what it says. Rule is an id of core/policy/lint_rules.ts.
type finding struct {
	Rule    string `json:"rule"`
	Message string `json:"message"`
	Path    string `json:"path"`
	Row     int    `json:"row"`
	Col     int    `json:"col"`
}

const ignore = "trailmix-lint-ignore:"

// linter gathers findings. Texts are looked at as parsed, not as compiled, for a reader sees them so.
type linter struct {
	req      *request
	modules  map[string]*ast.Module
	findings []finding
}

// lint answers what is legal and suspicious. It needs text that parses, not text that compiles: rules about what is
// used and tested are judged only where it compiles.
func lint(req *request) (response, error) {
	modules, err := parse(req)
	if err != nil {
		return response{}, err
	}
	l := &linter{req: req, modules: modules}
	for _, path := range sortedKeys(modules) {
		m := modules[path]
		l.builtins(m)
		if isTest(path) {
			continue
		}
		for _, rule := range m.Rules {
			for r := rule; r != nil; r = r.Else {
				l.rule(r, m)
			}
			l.elseAfterAlways(rule)
		}
	}
	l.decisions()
	if err := l.unused(); err != nil {
		return response{}, err
	}
	if err := l.untested(); err != nil {
		return response{}, err
	}
	return response{OK: true, Findings: l.kept()}, nil
}

func isTest(path string) bool { return strings.HasSuffix(path, "_test.rego") }

func (l *linter) add(rule string, at *location.Location, message string, args ...any) {
	if at == nil {
		return
	}
	l.findings = append(l.findings, finding{
		Rule: rule, Message: fmt.Sprintf(message, args...), Path: at.File, Row: at.Row, Col: at.Col,
	})
}

// kept are the findings in order of place, each once, without those that a comment on the line or the one above
// takes back: `# trailmix-lint-ignore: rule-id`.
func (l *linter) kept() []finding {
	ignored := map[string]bool{}
	for path, m := range l.modules {
		for _, c := range m.Comments {
			if _, ids, is := strings.Cut(string(c.Text), ignore); is {
				for _, id := range strings.FieldsFunc(ids, func(r rune) bool { return r == ' ' || r == ',' }) {
					ignored[fmt.Sprint(path, c.Location.Row, id)] = true
					ignored[fmt.Sprint(path, c.Location.Row+1, id)] = true
				}
			}
		}
	}
	sort.SliceStable(l.findings, func(i, j int) bool {
		a, b := l.findings[i], l.findings[j]
		if a.Path != b.Path {
			return a.Path < b.Path
		}
		return a.Row < b.Row || a.Row == b.Row && a.Col < b.Col
	})
	out := []finding{}
	seen := map[finding]bool{}
	for _, f := range l.findings {
		if !seen[f] && !ignored[fmt.Sprint(f.Path, f.Row, f.Rule)] {
			out = append(out, f)
		}
		seen[f] = true
	}
	return out
}

func (l *linter) rule(r *ast.Rule, m *ast.Module) {
	l.shadows(r, m)
	l.unreachable(r, m)
	numbers := checkedNumbers(r)
	ast.WalkBodies(r, func(body ast.Body) bool {
		for _, e := range body {
			l.condition(e, r, numbers)
		}
		return false
	})
}

func (l *linter) condition(e *ast.Expr, r *ast.Rule, numbers map[string]bool) {
	switch terms := e.Terms.(type) {
	case *ast.Term:
		if !readsInput(terms) {
			return
		}
		if e.IsNegated() {
			l.add("not-on-input", e.Location, "`not %v` holds when the value is false and also when it is missing", terms)
		} else {
			l.add("bare-input", e.Location, "`%v` alone holds for every value but false: for 0, \"\", \"no\" and null as well", terms)
		}
	case []*ast.Term:
		name := terms[0].Value.String()
		if e.IsNegated() {
			if name != "equal" && name != "eq" {
				for _, arg := range terms[1:] {
					if readsInput(arg) {
						l.add("not-silent-when-missing", e.Location,
							"this is undefined, not true, where %v is missing: the rule then says nothing", arg)
						break
					}
				}
			}
			return
		}
		if len(terms) != 3 {
			return
		}
		switch name {
		case "assign", "eq":
			l.assigned(e, terms, r)
		case "gt", "lt", "gte", "lte":
			for i := 1; i <= 2; i++ {
				if _, constant := numberOf(terms[3-i]); constant && isInput(terms[i]) && !numbers[terms[i].Value.String()] {
					l.add("untyped-comparison", e.Location,
						"%v may be no number: every string, list and object is greater than any number, null and true are less",
						terms[i])
				}
			}
		}
	}
}

// checkedNumbers are the references that a rule tests with is_number.
func checkedNumbers(r *ast.Rule) map[string]bool {
	out := map[string]bool{}
	ast.WalkExprs(r, func(e *ast.Expr) bool {
		if terms, is := e.Terms.([]*ast.Term); is && !e.IsNegated() && len(terms) == 2 && terms[0].Value.String() == "is_number" {
			out[terms[1].Value.String()] = true
		}
		return false
	})
	return out
}

// assigned finds `x := input.y` where nothing tests x: the condition holds for any value, false too.
func (l *linter) assigned(e *ast.Expr, terms []*ast.Term, r *ast.Rule) {
	v, from := terms[1], terms[2]
	name, is := v.Value.(ast.Var)
	if !is || !readsInput(from) {
		return
	}
	if !name.IsWildcard() && testedElsewhere(name, e, r) {
		return
	}
	l.add("true-when-false", e.Location,
		"this holds for every value of %v, false included: assigning is no test", from)
}

// testedElsewhere is true when a variable is used anywhere but in its declaration, e, and comparisons with itself.
func testedElsewhere(name ast.Var, e *ast.Expr, r *ast.Rule) bool {
	used := false
	count := func(x any) int {
		n := 0
		ast.WalkVars(x, func(v ast.Var) bool {
			if v == name {
				n++
			}
			return false
		})
		return n
	}
	ast.WalkBodies(r, func(body ast.Body) bool {
		for _, other := range body {
			if other == e || other.IsSome() {
				continue
			}
			if terms, is := other.Terms.([]*ast.Term); is && len(terms) == 3 && terms[1].Equal(terms[2]) {
				continue
			}
			used = used || count(other) > 0
		}
		return false
	})
	return used || count(r.Head) > 0
}

func (l *linter) unreachable(r *ast.Rule, m *ast.Module) {
	for _, e := range r.Body {
		if t, is := e.Terms.(*ast.Term); is {
			if b, is := t.Value.(ast.Boolean); is && bool(b) == e.IsNegated() {
				l.add("unreachable-rule", e.Location, "this condition never holds, so the rule never fires")
			}
		}
	}
	facts := demands(r.Body, m)
	for _, key := range sortedKeys(facts) {
		if facts[key].impossible {
			l.add("unreachable-rule", r.Location, "no value of %s meets all conditions, so the rule never fires", key)
		}
	}
}

// elseAfterAlways finds an `else` behind a branch that has no condition.
func (l *linter) elseAfterAlways(rule *ast.Rule) {
	for r := rule; r.Else != nil; r = r.Else {
		if len(r.Body) == 1 {
			if t, is := r.Body[0].Terms.(*ast.Term); is && t.Value.Compare(ast.Boolean(true)) == 0 && !r.Body[0].IsNegated() {
				l.add("unreachable-rule", r.Else.Location, "the branch before this `else` always holds, so this one never fires")
			}
		}
	}
}

// builtins finds functions that are deprecated or whose answer depends on more than their arguments.
func (l *linter) builtins(m *ast.Module) {
	own := map[string]bool{}
	for _, r := range m.Rules {
		own[r.Head.Ref().String()] = true
	}
	see := func(t *ast.Term) {
		name := t.Value.String()
		b := ast.BuiltinMap[name]
		if b == nil || own[name] {
			return
		}
		if b.Nondeterministic {
			l.add("non-deterministic", t.Location, "%s: %s, so that the decision cannot be made again", name, refusal(b))
		}
		if b.IsDeprecated() {
			l.add("deprecated-builtin", t.Location, "%s is deprecated in OPA", name)
		}
	}
	ast.WalkExprs(m, func(e *ast.Expr) bool {
		if terms, is := e.Terms.([]*ast.Term); is {
			see(terms[0])
		}
		return false
	})
	ast.WalkTerms(m, func(t *ast.Term) bool {
		if call, is := t.Value.(ast.Call); is {
			see(call[0])
		}
		return false
	})
}

// shadows finds variables that hide a rule, an import, or a built-in function.
func (l *linter) shadows(r *ast.Rule, m *ast.Module) {
	taken := map[ast.Var]string{}
	for name := range ast.BuiltinMap {
		if !strings.Contains(name, ".") {
			taken[ast.Var(name)] = "built-in function"
		}
	}
	for _, other := range m.Rules {
		taken[headVar(other.Head.Ref())] = "rule"
	}
	for _, i := range m.Imports {
		taken[i.Name()] = "import"
	}
	see := func(t *ast.Term) {
		if v, is := t.Value.(ast.Var); is && taken[v] != "" {
			l.add("shadowed-name", t.Location, "%s hides the %s of that name", v, taken[v])
		}
	}
	for _, arg := range r.Head.Args {
		ast.WalkTerms(arg, func(t *ast.Term) bool { see(t); return false })
	}
	ast.WalkExprs(r, func(e *ast.Expr) bool {
		switch terms := e.Terms.(type) {
		case *ast.SomeDecl:
			for _, symbol := range terms.Symbols {
				if call, is := symbol.Value.(ast.Call); is {
					for _, t := range call[1 : len(call)-1] {
						see(t)
					}
					continue
				}
				see(symbol)
			}
		case *ast.Every:
			if terms.Key != nil {
				see(terms.Key)
			}
			see(terms.Value)
		case []*ast.Term:
			if e.IsAssignment() {
				ast.WalkTerms(terms[1], func(t *ast.Term) bool { see(t); return false })
			}
		}
		return false
	})
}

// decisions finds complete rules of one name with different values that may hold together: an evaluation error.
func (l *linter) decisions() {
	type definition struct {
		rule *ast.Rule
		m    *ast.Module
	}
	byName := map[string][]definition{}
	for _, path := range sortedKeys(l.modules) {
		m := l.modules[path]
		for _, r := range m.Rules {
			if !isTest(path) && !r.Default && r.Head.RuleKind() == ast.SingleValue && len(r.Head.Args) == 0 && r.Head.Ref().IsGround() {
				name := m.Package.Path.String() + "/" + r.Head.Ref().String()
				byName[name] = append(byName[name], definition{r, m})
			}
		}
	}
	for _, name := range sortedKeys(byName) {
		all := byName[name]
		for i, a := range all {
			for _, b := range all[:i] {
				if a.rule.Head.Value.Equal(b.rule.Head.Value) || apart(demands(a.rule.Body, a.m), demands(b.rule.Body, b.m)) != "" {
					continue
				}
				l.add("conflicting-values", a.rule.Location,
					"%s has another value at %s:%d; an input for which both hold is an error, which denies",
					a.rule.Head.Ref(), b.rule.Location.File, b.rule.Location.Row)
				break
			}
		}
	}
}

// loose compiles without strict mode and with every function of OPA; nil when that fails too.
func (l *linter) loose() *ast.Compiler {
	modules, err := parse(l.req)
	if err != nil {
		return nil
	}
	c := ast.NewCompiler().WithEnablePrintStatements(true)
	if c.Compile(modules); c.Failed() {
		return nil
	}
	return c
}

// unused finds rules that the entrypoint does not reach.
func (l *linter) unused() error {
	c := l.loose()
	if c == nil || l.req.Entrypoint == "" {
		return nil
	}
	root, err := ast.PtrRef(ast.DefaultRootDocument, l.req.Entrypoint)
	if err != nil {
		return err
	}
	reached := map[*ast.Rule]bool{}
	var open []*ast.Rule
	open = append(open, c.GetRules(root)...)
	if len(open) == 0 {
		return nil
	}
	for len(open) > 0 {
		r := open[len(open)-1]
		open = open[:len(open)-1]
		if reached[r] {
			continue
		}
		reached[r] = true
		for dep := range c.Graph.Dependencies(r) {
			if next, is := dep.(*ast.Rule); is {
				open = append(open, next)
			}
		}
	}
	for _, path := range sortedKeys(c.Modules) {
		if isTest(path) {
			continue
		}
		for _, r := range c.Modules[path].Rules {
			if !reached[r] {
				l.add("unused-rule", r.Location, "nothing that %s reads uses %s", l.req.Entrypoint, r.Head.Ref())
			}
		}
	}
	return nil
}

// untested finds definitions whose value no test ever made. Where there are no tests, all of them.
func (l *linter) untested() error {
	if l.req.SkipTests {
		return nil
	}
	res, err := test(l.req)
	if err != nil {
		// Not strict enough to run: check says why.
		return nil
	}
	for _, path := range sortedKeys(l.modules) {
		if isTest(path) {
			continue
		}
		report := res.Coverage.Files[path]
		for _, r := range l.modules[path].Rules {
			if r.Default {
				continue
			}
			if report == nil || !report.IsCovered(r.Head.Location.Row) {
				l.add("untested-rule", r.Location, "no test makes %s fire", r.Head.Ref())
			}
		}
	}
	return nil
}

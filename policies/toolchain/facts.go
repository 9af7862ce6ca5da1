package main

import (
	"encoding/json"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

// fact is what the conditions of a body demand of one value of the input, as far as constants say it.
type fact struct {
	equal      *ast.Term // nil: not said
	low, high  *float64  // bounds, nil: none
	lowOpen    bool      // the value itself is excluded
	highOpen   bool
	impossible bool // two demands that no value meets
}

const deepestHelper = 4

// demands are the facts that must hold for a body, by reference as written (input.action), helpers of the same
// module included where they have one definition.
func demands(body ast.Body, m *ast.Module) map[string]*fact {
	out := map[string]*fact{}
	gather(body, m, out, 0)
	return out
}

func gather(body ast.Body, m *ast.Module, out map[string]*fact, depth int) {
	for _, e := range body {
		if e.IsNegated() || len(e.With) > 0 {
			continue
		}
		switch terms := e.Terms.(type) {
		case *ast.Term:
			if depth < deepestHelper {
				if helper := onlyDefinition(terms, m); helper != nil {
					gather(helper.Body, m, out, depth+1)
				}
			}
		case []*ast.Term:
			if len(terms) == 3 {
				demand(terms[0].Value.String(), terms[1], terms[2], out)
			}
		}
	}
}

var mirrored = map[string]string{"gt": "lt", "lt": "gt", "gte": "lte", "lte": "gte", "equal": "equal", "eq": "eq"}

func demand(op string, a, b *ast.Term, out map[string]*fact) {
	if mirror, comparison := mirrored[op]; !comparison {
		return
	} else if !isInput(a) {
		op, a, b = mirror, b, a
	}
	if !isInput(a) || !ast.IsConstant(b.Value) {
		return
	}
	key := a.Value.String()
	f := out[key]
	if f == nil {
		f = &fact{}
		out[key] = f
	}
	number, isNumber := numberOf(b)
	switch {
	case op == "equal" || op == "eq":
		if f.equal != nil && !f.equal.Equal(b) {
			f.impossible = true
		}
		f.equal = b
	case !isNumber:
		return
	case op == "gt" || op == "gte":
		if f.low == nil || number >= *f.low {
			f.low, f.lowOpen = &number, op == "gt"
		}
	default:
		if f.high == nil || number <= *f.high {
			f.high, f.highOpen = &number, op == "lt"
		}
	}
	if clash(f, f) {
		f.impossible = true
	}
}

// clash is true when no value meets both.
func clash(a, b *fact) bool {
	if a.impossible || b.impossible {
		return true
	}
	if a.equal != nil && b.equal != nil && !a.equal.Equal(b.equal) {
		return true
	}
	return above(a, b) || above(b, a)
}

// above is true when everything that meets a is greater than everything that meets b.
func above(a, b *fact) bool {
	low, open := a.low, a.lowOpen
	if n, is := numberOf(a.equal); is {
		low, open = &n, false
	}
	high, highOpen := b.high, b.highOpen
	if n, is := numberOf(b.equal); is {
		high, highOpen = &n, false
	}
	return low != nil && high != nil && (*low > *high || *low == *high && (open || highOpen))
}

func numberOf(t *ast.Term) (float64, bool) {
	if t == nil {
		return 0, false
	}
	n, is := t.Value.(ast.Number)
	if !is {
		return 0, false
	}
	f, err := json.Number(n).Float64()
	return f, err == nil
}

// isInput is true of input.a.b["c"], every step of it constant.
func isInput(t *ast.Term) bool {
	r, is := t.Value.(ast.Ref)
	return is && len(r) > 1 && r[0].Equal(ast.InputRootDocument) && r.IsGround()
}

// readsInput is true of any reference into input.
func readsInput(t *ast.Term) bool {
	r, is := t.Value.(ast.Ref)
	return is && len(r) > 1 && r[0].Equal(ast.InputRootDocument)
}

// onlyDefinition is the one definition of the rule of this module that a term names, or nil.
func onlyDefinition(t *ast.Term, m *ast.Module) *ast.Rule {
	var name ast.Var
	switch v := t.Value.(type) {
	case ast.Var:
		name = v
	case ast.Ref:
		if len(v) != 1 {
			return nil
		}
		name = headVar(v)
	default:
		return nil
	}
	var found *ast.Rule
	for _, r := range m.Rules {
		if headVar(r.Head.Ref()) != name {
			continue
		}
		if found != nil || r.Default || r.Else != nil || len(r.Head.Args) > 0 {
			return nil
		}
		found = r
	}
	return found
}

// apart names a value of which two bodies demand what cannot be together, and says how; "" when none is known.
func apart(a, b map[string]*fact) string {
	for _, key := range sortedKeys(a) {
		if other := b[key]; other != nil && clash(a[key], other) {
			return fmt.Sprintf("%s %s in one and %s in the other", key, a[key].say(), other.say())
		}
	}
	return ""
}

func (f *fact) say() string {
	if f.equal != nil {
		return "is " + f.equal.String()
	}
	text := ""
	if f.low != nil {
		text = fmt.Sprintf("is %s %v", map[bool]string{true: "above", false: "at least"}[f.lowOpen], *f.low)
	}
	if f.high != nil {
		if text != "" {
			text += " and "
		}
		text += fmt.Sprintf("is %s %v", map[bool]string{true: "below", false: "at most"}[f.highOpen], *f.high)
	}
	return text
}

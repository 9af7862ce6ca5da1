package main

import (
	"context"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

func ctxOf() context.Context { return context.Background() }

// around are inputs near the conditions of decision rules: for each rule one that meets its constants, then that one
// with every value it reads left out, false, true, null, a word, zero, and at, above and below its bounds; then the
// inputs of two rules laid over each other.
func around(all []decisionRule) []any {
	var out []any
	var bases []map[string]any
	for _, d := range all {
		facts := demands(d.rule.Body, d.m)
		base := map[string]any{}
		reads := inputReads(d)
		for _, key := range reads {
			put(base, key, meeting(facts[key]))
		}
		bases = append(bases, base)
		out = append(out, base)
		for _, key := range reads {
			left := deepCopy(base)
			remove(left, key)
			out = append(out, left)
			for _, value := range nearby(facts[key]) {
				one := deepCopy(base)
				put(one, key, value)
				out = append(out, one)
			}
		}
	}
	for i, a := range bases {
		for _, b := range bases[:i] {
			both := deepCopy(a)
			overlay(both, b)
			out = append(out, both)
		}
	}
	return out
}

// inputReads are the constant references into input that a decision reads, helpers of its file included.
func inputReads(d decisionRule) []string {
	seen := map[string]bool{}
	var walk func(body ast.Body, depth int)
	walk = func(body ast.Body, depth int) {
		ast.WalkTerms(body, func(t *ast.Term) bool {
			if isInput(t) && plainPath(t.Value.(ast.Ref)) {
				seen[t.Value.String()] = true
			} else if helper := onlyDefinition(t, d.m); helper != nil && depth < deepestHelper {
				walk(helper.Body, depth+1)
			}
			return false
		})
	}
	walk(d.rule.Body, 0)
	return sortedKeys(seen)
}

func plainPath(r ast.Ref) bool {
	for _, t := range r[1:] {
		if _, is := t.Value.(ast.String); !is || strings.ContainsAny(t.Value.String(), ".[") {
			return false
		}
	}
	return true
}

func meeting(f *fact) any {
	switch {
	case f == nil:
		return true
	case f.equal != nil:
		value, err := ast.JSON(f.equal.Value)
		if err != nil {
			return true
		}
		return value
	case f.low != nil:
		return *f.low + 1
	case f.high != nil:
		return *f.high - 1
	}
	return true
}

func nearby(f *fact) []any {
	out := []any{false, true, nil, "x", float64(0)}
	if f != nil {
		for _, bound := range []*float64{f.low, f.high} {
			if bound != nil {
				out = append(out, *bound, *bound+1, *bound-1)
			}
		}
	}
	return out
}

func steps(key string) []string { return strings.Split(strings.TrimPrefix(key, "input."), ".") }

func put(into map[string]any, key string, value any) {
	path := steps(key)
	for _, step := range path[:len(path)-1] {
		next, is := into[step].(map[string]any)
		if !is {
			next = map[string]any{}
			into[step] = next
		}
		into = next
	}
	into[path[len(path)-1]] = value
}

func remove(from map[string]any, key string) {
	path := steps(key)
	for _, step := range path[:len(path)-1] {
		next, is := from[step].(map[string]any)
		if !is {
			return
		}
		from = next
	}
	delete(from, path[len(path)-1])
}

func deepCopy(from map[string]any) map[string]any {
	out := make(map[string]any, len(from))
	for k, v := range from {
		if inner, is := v.(map[string]any); is {
			v = deepCopy(inner)
		}
		out[k] = v
	}
	return out
}

func overlay(onto, from map[string]any) {
	for k, v := range from {
		inner, is := v.(map[string]any)
		under, also := onto[k].(map[string]any)
		if is && also {
			overlay(under, inner)
		} else {
			onto[k] = v
		}
	}
}

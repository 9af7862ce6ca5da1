package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/format"
)

var operations = map[string]func(*request) (response, error){
	"check":    check,
	"fmt":      reformat,
	"rewrite":  rewrite,
	"build":    build,
	"test":     test,
	"eval":     eval,
	"why":      why,
	"lint":     lint,
	"repair":   repair,
	"describe": describe,
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
	c := ast.NewCompiler().
		WithStrict(true).
		WithCapabilities(req.Capabilities).
		WithEnablePrintStatements(true).
		WithUseTypeCheckAnnotations(true)
	if req.Schema != nil {
		schemas := ast.NewSchemaSet()
		schemas.Put(ast.SchemaRootRef, req.Schema)
		c = c.WithSchemas(schemas)
	}
	return c
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

// check compiles strictly. Of files that do not parse it says which are Rego v0, for those `repair` is the way.
func check(req *request) (response, error) {
	_, err := compileStrictly(req)
	if err == nil {
		return response{OK: true}, nil
	}
	res := response{Errors: diagnostics(err)}
	for _, f := range req.Files {
		if isV0(f, req.Capabilities) {
			res.V0 = append(res.V0, f.Path)
		}
	}
	return res, nil
}

// isV0 is true of text that is Rego v0 and not Rego v1.
func isV0(f file, capabilities *ast.Capabilities) bool {
	options := ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: capabilities}
	if _, err := ast.ParseModuleWithOpts(f.Path, f.Text, options); err == nil {
		return false
	}
	options.RegoVersion = ast.RegoV0
	m, err := ast.ParseModuleWithOpts(f.Path, f.Text, options)
	return err == nil && m != nil
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

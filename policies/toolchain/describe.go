package main

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// description is what METADATA comments say of a package or of one definition of a rule.
type description struct {
	Path        string `json:"path"`
	Row         int    `json:"row"`
	Package     string `json:"package"`        // data.a.b
	Rule        string `json:"rule,omitempty"` // its name; absent: the package
	Documented  bool   `json:"documented"`     // there is METADATA
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Tests       bool   `json:"tests,omitempty"` // stands in a file of tests
}

// describe answers every package and every definition of a rule with its METADATA, in order of files and lines.
func describe(req *request) (response, error) {
	modules, err := parse(req)
	if err != nil {
		return response{}, err
	}
	res := response{OK: true, Described: []description{}}
	for _, path := range sortedKeys(modules) {
		m := modules[path]
		whole := description{Path: path, Row: m.Package.Location.Row, Package: m.Package.Path.String(), Tests: isTest(path)}
		for _, a := range m.Annotations {
			if a.Scope == "package" {
				whole.say(a)
			}
		}
		res.Described = append(res.Described, whole)
		for _, r := range m.Rules {
			d := description{
				Path: path, Row: r.Location.Row, Package: whole.Package, Rule: r.Head.Ref().String(), Tests: whole.Tests,
			}
			for _, a := range r.Annotations {
				d.say(a)
			}
			res.Described = append(res.Described, d)
		}
	}
	return res, nil
}

func (d *description) say(a *ast.Annotations) {
	d.Documented, d.Title, d.Description = true, a.Title, strings.TrimSpace(a.Description)
}

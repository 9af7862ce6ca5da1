package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
)

// handle answers one request (JSON text of request) with one response (JSON text of response), whatever happens.
func handle(text string) (out string) {
	defer func() {
		if r := recover(); r != nil {
			out = encode(failure("toolchain_crashed", fmt.Sprintf("%v\n%s", r, debug.Stack())))
		}
	}()
	var req request
	if err := json.Unmarshal([]byte(text), &req); err != nil {
		return encode(failure("bad_request", err.Error()))
	}
	op, known := operations[req.Op]
	if !known {
		return encode(failure("bad_request", "unknown operation "+req.Op))
	}
	if req.Capabilities == nil {
		return encode(failure("bad_request", "a request must carry capabilities"))
	}
	res, err := op(&req)
	if err != nil {
		return encode(response{OK: false, Errors: diagnostics(err)})
	}
	return encode(res)
}

func encode(res response) string {
	out, err := json.Marshal(res)
	if err != nil {
		out, _ = json.Marshal(failure("bad_response", err.Error()))
	}
	return string(out)
}

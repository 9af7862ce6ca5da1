// Command toolchain is the Rego toolchain of Audit TrailMix: the official OPA library behind one function,
// compiled with GOOS=js GOARCH=wasm and run in a worker that is terminated at its deadline.
//
// Job: check, format, rewrite (v0 to v1), build (to Wasm), test (with coverage), evaluate (with trace).
// Rules: text in, text out; it opens no file, reads no environment and reaches no network; which built-in
// functions exist is said by the capabilities that every request must carry. One request at a time.
//
// Protocol: the global function trailmixToolchain(request, answer) takes a JSON request (see request) and
// calls answer once with a JSON response (see response). `ready` is the global trailmixToolchainReady.
package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"syscall/js"
)

func main() {
	js.Global().Set("trailmixToolchain", js.FuncOf(func(_ js.Value, args []js.Value) any {
		text, answer := args[0].String(), args[1]
		// A goroutine of its own, for a callback that blocked would stop the event loop and the timers with it.
		go func() { answer.Invoke(handle(text)) }()
		return nil
	}))
	if ready := js.Global().Get("trailmixToolchainReady"); ready.Type() == js.TypeFunction {
		ready.Invoke()
	}
	select {}
}

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

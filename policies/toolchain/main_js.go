// Command toolchain is the Rego toolchain of Audit TrailMix: the official OPA library behind one function,
// compiled with GOOS=js GOARCH=wasm and run in a worker that is terminated at its deadline.
//
// Job: check, format, rewrite (v0 to v1), repair, lint, build (to Wasm), test (with coverage), evaluate (with trace),
// and say why a rule did not fire.
// Rules: text in, text out; it opens no file, reads no environment and reaches no network; which built-in
// functions exist is said by the capabilities that every request must carry. One request at a time.
//
// Protocol: the global function trailmixToolchain(request, answer) takes a JSON request (see request) and
// calls answer once with a JSON response (see response). `ready` is the global trailmixToolchainReady.
package main

import "syscall/js"

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

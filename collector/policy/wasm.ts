/**
 * What this room uses of WebAssembly, typed. The collector compiles without the DOM library, the only one of
 * TypeScript's that declares it.
 */
declare const moduleBrand: unique symbol;

/** A compiled module; may be posted to a worker. */
export type WasmModule = { readonly [moduleBrand]: true };
export type WasmInstance = { readonly exports: Record<string, unknown> };
export type WasmMemory = { readonly buffer: ArrayBuffer; grow(pages: number): number };
export type WasmImports = Record<string, Record<string, unknown>>;

export type Wasm = {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  instantiate(
    bytes: Uint8Array,
    imports: WasmImports,
  ): Promise<{ module: WasmModule; instance: WasmInstance }>;
};

export const wasm = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;

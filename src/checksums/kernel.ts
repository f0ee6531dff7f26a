/** The part of the WebAssembly API used here: TypeScript has it only in its library for browsers. */
declare const WebAssembly: {
  readonly Module: new (binary: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

export interface KernelMemory {
  readonly memory: { readonly buffer: ArrayBuffer }
}

/** An instance of a checked-in kernel. What it exports is its source's business. */
export function loadKernel<Exports extends KernelMemory>(base64: string): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(base64, 'base64'))).exports as Exports
}

import { readFileSync, writeFileSync } from 'node:fs'

/** The part of the AssemblyScript compiler used here. Its own types would replace the whole program's `console` and more. */
interface Compiler {
  main(
    arguments_: readonly string[],
    files: {
      readFile(name: string): string | null
      writeFile(name: string, contents: string | Uint8Array): void
      listFiles(): string[]
    },
  ): Promise<{ readonly error: Error | null }>
}

const compilerModule: string = 'assemblyscript/asc'

export const kernels = ['crc64nvme', 'xxh128', 'md5'] as const

/** Pages of 64 KiB: MD5's has a buffer for each of many streams. */
const memoryPages = { crc64nvme: 3, xxh128: 3, md5: 257 } as const

/**
 * Compiles a kernel's `.as` source. Run this file to renew `*-wasm.ts`; a test compares them.
 * The compiler is itself deterministic, and pinned in package.json.
 */
export async function compileKernel(kernel: (typeof kernels)[number]): Promise<Uint8Array> {
  const source = readFileSync(new URL(`${kernel}.as`, import.meta.url), 'utf8')
  const compiler = ((await import(compilerModule)) as { readonly default: Compiler }).default
  let binary: Uint8Array | undefined
  const pages = String(memoryPages[kernel])
  const options = ['-O3', '--runtime', 'stub', '--noAssert', '--enable', 'simd', '--initialMemory', pages, '--maximumMemory', pages]
  const result = await compiler.main(['kernel.ts', ...options, '-o', 'kernel.wasm'], {
    readFile: (name) => (name === 'kernel.ts' ? source : null),
    writeFile: (_, contents) => {
      if (typeof contents !== 'string') binary = contents
    },
    listFiles: () => [],
  })
  if (result.error !== null || binary === undefined) throw new Error(`${kernel} does not compile`, { cause: result.error })
  return binary
}

if (import.meta.main) {
  for (const kernel of kernels) {
    const binary = await compileKernel(kernel)
    const lines = Buffer.from(binary).toString('base64').match(/.{1,120}/g) ?? []
    const text = `/** Made from ${kernel}.as by \`node src/checksums/build-kernels.ts\`; ${binary.length} bytes. */
export const ${kernel}WasmBase64 = [
${lines.map((line) => `  '${line}',`).join('\n')}
].join('')
`
    writeFileSync(new URL(`${kernel}-wasm.ts`, import.meta.url), text)
  }
}

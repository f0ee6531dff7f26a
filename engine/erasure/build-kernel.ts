import { readFile, writeFile } from 'node:fs/promises'

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

/**
 * Compiles `reed-solomon.as`. Run this file to renew `reed-solomon-wasm.ts`; a test compares them. The compiler is
 * itself deterministic, and pinned in package.json. The memory is the host's, of any size.
 */
export async function compileKernel(): Promise<Uint8Array> {
  const source = await readFile(new URL('reed-solomon.as', import.meta.url), 'utf8')
  const compiler = ((await import(compilerModule)) as { readonly default: Compiler }).default
  let binary: Uint8Array | undefined
  const features = ['--enable', 'simd', '--enable', 'relaxed-simd']
  const options = ['-O3', '--runtime', 'stub', '--noAssert', '--importMemory', '--initialMemory', '1', ...features]
  const result = await compiler.main(['kernel.ts', ...options, '-o', 'kernel.wasm'], {
    readFile: (name) => (name === 'kernel.ts' ? source : null),
    writeFile: (_, contents) => {
      if (typeof contents !== 'string') binary = contents
    },
    listFiles: () => [],
  })
  if (result.error !== null || binary === undefined) throw new Error('the kernel does not compile', { cause: result.error })
  return binary
}

if (import.meta.main) {
  const binary = await compileKernel()
  const lines = Buffer.from(binary).toString('base64').match(/.{1,120}/g) ?? []
  const text = `/** Made from reed-solomon.as by \`node engine/erasure/build-kernel.ts\`; ${binary.length} bytes. */
export const reedSolomonWasmBase64 = [
${lines.map((line) => `  '${line}',`).join('\n')}
].join('')
`
  await writeFile(new URL('reed-solomon-wasm.ts', import.meta.url), text)
}

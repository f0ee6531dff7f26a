import { API } from 'typescript/unstable/sync'
import { type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast'

/** What the rules need to know of one TypeScript file. Lines count from 1. */
export interface SourceFacts {
  readonly imports: readonly ImportFact[]
  readonly functions: readonly FunctionFact[]
  /** Lines with `export … from '…'`. */
  readonly reExportLines: readonly number[]
  /** Lines with `new Date()`: the wall clock, which no lint rule of ours can tell from `new Date(ms)`. */
  readonly wallClockLines: readonly number[]
  /** Text literals, and templates with `*` in place of their values. */
  readonly literals: readonly string[]
}

export interface ImportFact {
  readonly specifier: string
  readonly line: number
}

export interface FunctionFact {
  readonly name: string
  readonly line: number
  readonly lines: number
  /** Holds `describe` or `it` calls: a table of contents, not a piece of logic. */
  readonly declaresTests: boolean
}

const root = '/tree'
const suiteCall = /^(describe|it|test)(\.[\w.]+)?(\(|`)/

/** Parses with the compiler that checks the project, in memory and without resolving imports. */
export function readSourceFacts(sources: ReadonlyMap<string, string>): Map<string, SourceFacts> {
  if (sources.size === 0) return new Map()
  const compilerOptions = { noLib: true, noResolve: true, types: [], module: 'nodenext', allowImportingTsExtensions: true, noEmit: true }
  const config = `${root}/tsconfig.json`
  const virtual = new Map([...sources].map(([path, text]) => [`${root}/${path}`, text]))
  virtual.set(config, JSON.stringify({ compilerOptions, files: [...virtual.keys()] }))
  const api = new API({
    cwd: root,
    fs: {
      readFile: (path) => (path.startsWith(root) ? (virtual.get(path) ?? null) : undefined),
      fileExists: (path) => (path.startsWith(root) ? virtual.has(path) : undefined),
    },
  })
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProjects()[0]?.program
    const facts = new Map<string, SourceFacts>()
    for (const path of sources.keys()) {
      const file = program?.getSourceFile(`${root}/${path}`)
      if (file === undefined) throw new Error(`the compiler did not read ${path}`)
      facts.set(path, factsOf(file))
    }
    return facts
  } finally {
    api.close()
  }
}

function factsOf(file: SourceFile): SourceFacts {
  const facts = {
    imports: [] as ImportFact[],
    functions: [] as FunctionFact[],
    reExportLines: [] as number[],
    wallClockLines: [] as number[],
    literals: [] as string[],
  }
  const lineOf = (offset: number): number => file.getLineAndCharacterOfPosition(offset).line + 1
  const visit = (node: Node): void => {
    const line = lineOf(node.getStart(file))
    const specifier = specifierOf(node)
    if (specifier !== undefined) facts.imports.push({ specifier, line })
    if (node.kind === SyntaxKind.ExportDeclaration && specifier !== undefined) facts.reExportLines.push(line)
    if (node.kind === SyntaxKind.NewExpression && /^new Date(\(\s*\))?$/.test(node.getText(file))) facts.wallClockLines.push(line)
    const literal = literalOf(node)
    if (literal !== undefined) facts.literals.push(literal)
    const body = bodyOf(node)
    if (body !== undefined) {
      facts.functions.push({ name: nameOf(node, file), line, lines: lineOf(node.getEnd()) - line + 1, declaresTests: declaresTests(body, file) })
    }
    node.forEachChild((child) => visit(child))
  }
  file.forEachChild((child) => visit(child))
  return facts
}

/** `import … from 'x'`, `export … from 'x'`, `import('x')`. */
function specifierOf(node: Node): string | undefined {
  const { moduleSpecifier, expression, arguments: args } = node as Shape
  if (node.kind === SyntaxKind.ImportDeclaration || node.kind === SyntaxKind.ExportDeclaration) return moduleSpecifier?.text
  if (node.kind === SyntaxKind.CallExpression && expression?.kind === SyntaxKind.ImportKeyword) return args?.[0]?.text
  return undefined
}

function literalOf(node: Node): string | undefined {
  const { text, head, templateSpans } = node as Shape
  if (node.kind === SyntaxKind.StringLiteral || node.kind === SyntaxKind.NoSubstitutionTemplateLiteral) return text
  if (node.kind !== SyntaxKind.TemplateExpression) return undefined
  return [head?.text ?? '', ...(templateSpans ?? []).map((span) => (span as Shape).literal?.text ?? '')].join('*')
}

const functionKinds: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
])

function bodyOf(node: Node): Node | undefined {
  return functionKinds.has(node.kind) ? (node as Shape).body : undefined
}

function nameOf(node: Node, file: SourceFile): string {
  if (node.kind === SyntaxKind.Constructor) return 'constructor'
  const named = (node as Shape).name ?? (node.parent as Shape).name
  return named === undefined ? '(anonymous)' : named.getText(file)
}

function declaresTests(body: Node, file: SourceFile): boolean {
  let found = false
  body.forEachChild((statement) => {
    if (suiteCall.test(statement.getText(file))) found = true
  })
  return found
}

/** The members of syntax nodes that this file reads, each there on some kinds only. */
interface Shape extends Node {
  readonly text?: string
  readonly name?: Node
  readonly body?: Node
  readonly head?: Shape
  readonly literal?: Shape
  readonly templateSpans?: readonly Node[]
  readonly moduleSpecifier?: Shape
  readonly expression?: Node
  readonly arguments?: readonly Shape[]
}

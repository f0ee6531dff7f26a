/** Text that holds command lines or environments: `MINIO_OPTS`, `MINIO_VOLUMES`, `MINIO_CONFIG_ENV_FILE`. */
import { ValueError } from './values.ts'

/** Splits as a shell would: spaces part words, quotes keep them together, a backslash takes the next character. */
export function splitWords(text: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index)
    if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (quote === '' && (character === '"' || character === "'")) {
      quote = character
      word ??= ''
    } else if (character === quote) {
      quote = ''
    } else if (character === '\\' && quote !== "'" && index + 1 < text.length) {
      index++
      word = (word ?? '') + text.charAt(index)
    } else {
      word = (word ?? '') + character
    }
  }
  if (quote !== '') throw new ValueError(`a ${quote} is not closed`)
  if (word !== undefined) words.push(word)
  return words
}

/**
 * `NAME=value` lines as in a systemd or compose environment file: `export ` may stand before a name,
 * one pair of quotes around a value is taken off, `#` begins a comment line.
 */
export function parseEnvFile(text: string): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(trimmed)
    if (match === null) throw new ValueError(`line ${index + 1} is not NAME=value`)
    const [, name = '', value = ''] = match
    env[name] = /^(["']).*\1$/.test(value) && value.length >= 2 ? value.slice(1, -1) : value
  }
  return env
}

/** MinIO's ellipses: `/mnt/drive{1...4}` is four paths; several in one word multiply. Zero padding is kept. */
export function expandEllipses(word: string): string[] {
  const match = /\{([0-9]+)\.\.\.([0-9]+)\}/.exec(word)
  if (match === null) return [word]
  const [found, first = '', last = ''] = match
  if (Number(last) < Number(first) || Number(last) - Number(first) > 1024) throw new ValueError(`"${found}" is not a range`)
  const width = first.startsWith('0') ? first.length : 0
  const before = word.slice(0, match.index)
  const after = expandEllipses(word.slice(match.index + found.length))
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${before}${String(Number(first) + index).padStart(width, '0')}`)
    .flatMap(start => after.map(end => start + end))
}

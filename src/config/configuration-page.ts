/** `docs/configuration.md`, from the settings table. */
import { settings, sources, type Setting } from './settings.ts'

export function configurationPage(): string {
  const rows = Object.values(settings) as readonly Setting<unknown>[]
  return `# Configuration

<!-- Printed by \`node tools/config-table.ts --write\` from src/config/settings.ts; a test holds it to be current. -->

A setting is taken from the first of these that has it: the command line, its \`MORAINE_\` name in the environment, the settings file, the flags in \`${sources.options.name}\`, its MinIO name in the environment, its default. An empty variable counts as not set.

An unknown \`MORAINE_\` name, option or name in the settings file, and a value that cannot be read, stop the start with a message that names it and its place. A \`MINIO_\` name that means nothing here is a warning.

| Setting | MinIO’s name | Option | Default | Meaning |
|---|---|---|---|---|
${rows.map(row).join('\n')}

Durations are written \`500ms\`, \`30s\`, \`5m\`, \`2h\`; switches \`on\` or \`off\`.

Where settings can stand besides:

| Name | Option | Meaning |
|---|---|---|
| \`${sources.config.name}\` | \`${sources.config.flag} FILE\` | ${sources.config.doc} |
| \`${sources.envFile.name}\` | | ${sources.envFile.doc} |
| \`${sources.options.name}\` | | ${sources.options.doc} |

Kubernetes sets \`MORAINE_PORT\`, \`MORAINE_SERVICE_HOST\` and the like beside a Service named \`moraine\`; those names are ignored.
`
}

function row({ name, aliases, flag, fallbackText, fileForm, doc }: Setting<unknown>): string {
  const names = (list: readonly string[]) => list.flatMap(each => (fileForm ? [each, `${each}_FILE`] : [each])).map(code).join(', ')
  const option = flag === undefined ? '' : code(flag.value === undefined ? flag.name : `${flag.name} ${flag.value}`)
  return `| ${names([name])} | ${names(aliases)} | ${option} | ${fallbackText} | ${doc} |`
}

function code(text: string): string {
  return `\`${text}\``
}

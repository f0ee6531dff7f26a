import { settings, sources, type Setting } from '../config/settings.ts'

/** `moraine --help`, from the settings table. */
export function helpText(): string {
  const flags: readonly (readonly [string, string])[] = [
    ...(Object.values(settings) as readonly Setting<unknown>[]).flatMap(({ flag, doc, fallbackText }) =>
      flag === undefined ? [] : [[flag.value === undefined ? flag.name : `${flag.name} ${flag.value}`, `${plain(doc)} Default: ${plain(fallbackText)}.`] as const],
    ),
    [`${sources.config.flag} FILE`, plain(sources.config.doc)],
  ]
  const width = Math.max(...flags.map(([name]) => name.length))
  return `Moraine: an S3 object store and an Apache Iceberg REST catalog in one server.

Usage:
  moraine server [options] [DRIVE…]   serve the drive directories, /mnt/drive{1...6} or ./data alone
  moraine fsck [options] DRIVE…       verify drives that no server uses; exits 0 when all is clean,
                                      2 when records contradict each other, 3 when something is lost
    --quick                           verify the records only, not every stored byte
    --repair                          first make the shards that blobs lack; nothing is removed
    --json                            print the report as JSON
  moraine status [options]            show a running server's drives; exits 2 when a set is degraded, 3 when
                                      one cannot be written
  moraine heal [options]              compare the drives of a running server and heal what is missing
    --wait                            show it until its end; exits 2 when something waits for a drive
  moraine decommission SET [options]  move everything off a set of drives, by its number or one of its drives
  moraine rebalance [options]         move blobs from fuller sets of drives to emptier ones
    --wait                            show it until its end; exits 2 when it was cancelled
    --cancel                          stop it; what was moved stays where it is
    --endpoint URL                    the server, when it is not the one of this environment
    --json                            print JSON
  moraine policy simulate [options]   decide a request by policies in files and say why; exits 2 when it is denied
    --principal ARN                   who asks; absent: a request without a signature
    --action ACTION --resource ARN    what is asked, such as s3:GetObject and arn:aws:s3:::bucket/key
    --policy FILE --boundary FILE --session FILE --limit FILE --resource-policy FILE --context KEY=VALUE
    --resource-account ID             whose the resource is, when it is not the caller's account's
    --json                            print JSON
  moraine version                     print the version
  moraine --help                      print this

Options of "moraine server":
${flags.map(([name, doc]) => `  ${name.padEnd(width)}  ${doc}`).join('\n')}

Each setting also has a MORAINE_ name in the environment, and most of them MinIO's: docs/configuration.md.
The root account's key: MORAINE_ROOT_USER and MORAINE_ROOT_PASSWORD.
`
}

function plain(text: string): string {
  return text.replaceAll('`', '')
}

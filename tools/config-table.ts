/** Prints `docs/configuration.md`; `--write` writes it. */
import { writeFileSync } from 'node:fs'
import { configurationPage } from '../src/config/configuration-page.ts'

if (process.argv.includes('--write')) writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage())
else process.stdout.write(configurationPage())

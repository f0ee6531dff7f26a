import { readFileSync } from 'node:fs'
import type { Environment, ReadFile } from './layers.ts'

/** The only place that reads the process's environment. */
export const processEnvironment = (): Environment => process.env

export const readTextFile: ReadFile = path => readFileSync(path, 'utf8')

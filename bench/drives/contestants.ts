/** The servers that are measured, each over directories of its own that can be taken from it. */
import { spawn } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, startServer } from '../../integration/start-server.ts'
import type { Contender } from '../load/measure.ts'

export interface Peer {
  readonly name: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly command: string
}

export interface Place {
  readonly root: string
  readonly drives: number
  readonly env: Readonly<Record<string, string>>
}

export interface Contestant extends Contender {
  /** Counted from 1. There is a file in its place, so that nobody makes the directory again. */
  readonly loseDrive: (number: number) => void
  /** An empty directory takes its place. */
  readonly replaceDrive: (number: number) => void
  readonly stop: () => Promise<unknown>
}

const startDeadlineMs = 30_000
const pollMs = 100

/** `NAME=KEY,SECRET,COMMAND`. Throws for anything else. */
export function parsePeer(text: string): Peer {
  const [, name, accessKeyId, secretAccessKey, command] = /^([^=]+)=([^,]+),([^,]+),(.+)$/.exec(text) ?? []
  if (name === undefined || accessKeyId === undefined || secretAccessKey === undefined || command === undefined) throw new Error(`--peer ${text} is not NAME=KEY,SECRET,COMMAND`)
  return { name, accessKeyId, secretAccessKey, command }
}

export async function startMoraine({ root, drives, env }: Place): Promise<Contestant> {
  const directories = makeDrives(root, 'moraine', drives)
  const ellipsis = drives === 1 ? '1' : `{1...${drives}}`
  const server = await startServer({ drive: join(root, 'moraine', `drive${ellipsis}`), args: ['--quiet'], env: { MORAINE_LOG_LEVEL: 'warn', ...env } })
  return {
    target: { name: 'Moraine', url: server.endpoint, accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    serverPid: server.pid,
    loseDrive: number => loseDirectory(directories[number - 1]),
    replaceDrive: number => replaceDirectory(directories[number - 1]),
    stop: () => server.stop(),
  }
}

export async function startPeer({ name, accessKeyId, secretAccessKey, command }: Peer, { root, drives, env }: Place): Promise<Contestant> {
  const directories = makeDrives(root, 'peer', drives)
  const port = await freePort()
  const child = spawn(command, [String(port), ...directories], { stdio: 'ignore', env: { ...process.env, ...env } })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  const url = `http://127.0.0.1:${port}`
  await Promise.race([answering(url), ended.then(() => Promise.reject(new Error(`${command} ended`)))])
  return {
    target: { name, url, accessKeyId, secretAccessKey },
    ...(child.pid === undefined ? {} : { serverPid: child.pid }),
    loseDrive: number => loseDirectory(directories[number - 1]),
    replaceDrive: number => replaceDirectory(directories[number - 1]),
    stop: () => {
      child.kill()
      return ended
    },
  }
}

function makeDrives(root: string, name: string, drives: number): string[] {
  const directories = Array.from({ length: drives }, (_, index) => join(root, name, `drive${index + 1}`))
  for (const directory of directories) mkdirSync(directory, { recursive: true })
  return directories
}

function loseDirectory(directory: string | undefined): void {
  if (directory === undefined) throw new Error('no such drive')
  renameSync(directory, `${directory}.gone`)
  writeFileSync(directory, '')
}

/** It takes requests: any answer that does not put off. */
async function answering(url: string): Promise<void> {
  for (const deadline = Date.now() + startDeadlineMs; Date.now() < deadline; ) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => undefined)
    if (answer !== undefined && answer.status !== 503) return
    await new Promise(resolve => setTimeout(resolve, pollMs))
  }
  throw new Error(`${url} does not answer`)
}

function replaceDirectory(directory: string | undefined): void {
  if (directory === undefined) throw new Error('no such drive')
  renameSync(directory, `${directory}.gone`)
  mkdirSync(directory)
  rmSync(`${directory}.gone`, { recursive: true })
}

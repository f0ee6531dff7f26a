import { rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../../base/clock.ts'
import { secondMs } from '../../../base/units.ts'
import { type Committer, type KnownRequests, RemoteCommits, ServiceConnection } from '../../../engine/index.ts'

/** Between attempts to reach a committer that is being replaced. */
const reconnectMs = 20
/** After so long without a committer, commits under way are given up. */
const abandonMs = 20 * secondMs

/** Serves a committer on a Unix socket. Resolves once clients can connect. */
export function serveCommitter({ committer, known, path }: { readonly committer: Committer; readonly known: KnownRequests; readonly path: string }): Promise<Server> {
  const service = { committer, known, connections: new Map<string, ServiceConnection>() }
  const server = createServer(socket => {
    const connection = new ServiceConnection(service, bytes => void socket.write(bytes))
    socket.on('data', (chunk: Buffer) => connection.receive(chunk))
    // A client that is gone needs no answer: its commits are in the journal or not.
    socket.on('error', () => socket.destroy())
  })
  // A killed committer leaves its socket's file.
  rmSync(path, { force: true })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve(server))
  })
}

/** Commits over the socket at `path`; connects again and again as committers come and go, until it is closed. */
export function connectToCommitter({ path, sender, clock }: { readonly path: string; readonly sender: Uint8Array; readonly clock: Clock }): RemoteCommits {
  const closed = new AbortController()
  let socket: Socket | undefined
  const commits = new RemoteCommits({
    sender,
    onClosed: () => {
      closed.abort()
      socket?.end()
    },
  })
  void keepConnected({ clock, signal: closed.signal, commits, open: () => (socket = connect(path)) })
  return commits
}

async function keepConnected({ clock, signal, commits, open }: { readonly clock: Clock; readonly signal: AbortSignal; readonly commits: RemoteCommits; readonly open: () => Socket }): Promise<void> {
  for (let lostAtMs = clock.monotonicMs(); !signal.aborted; ) {
    if (await useConnection(open(), commits)) lostAtMs = clock.monotonicMs()
    if (signal.aborted) return
    if (clock.monotonicMs() - lostAtMs > abandonMs) {
      commits.abandon()
      lostAtMs = clock.monotonicMs()
    }
    await clock.sleep(reconnectMs, signal)
  }
}

/** Resolves when the connection has ended; whether there was one. */
function useConnection(socket: Socket, commits: RemoteCommits): Promise<boolean> {
  return new Promise(resolve => {
    let connected = false
    socket.on('connect', () => {
      connected = true
      commits.attach(bytes => void socket.write(bytes))
    })
    socket.on('data', (chunk: Buffer) => commits.receive(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      commits.detach()
      resolve(connected)
    })
  })
}

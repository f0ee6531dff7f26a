import type { Worker } from 'node:cluster'

/** What Node's cluster sends with each connection; the worker answers `{ ack: seq, accepted }` before it reads from it. */
interface HandOver {
  readonly cmd: 'NODE_CLUSTER'
  readonly act: 'newconn'
  readonly seq: number
}

interface Acknowledgement {
  readonly cmd: 'NODE_CLUSTER'
  readonly ack: number
}

/**
 * Ends connections that a worker was handed, and died without having taken. Node's primary keeps its own copy of a connection
 * until the worker has answered, and of one that never answers it keeps it for ever: the client would wait as long. Told that
 * the connection was taken, it closes its copy, and the client meets a broken connection, as all clients of a dead worker do.
 */
export function endLostConnections(worker: Worker): void {
  const { process } = worker
  const handed = new Set<number>()
  const send = process.send.bind(process) as (...args: readonly unknown[]) => boolean
  process.send = ((message: unknown, ...rest: readonly unknown[]) => {
    if (isHandOver(message)) handed.add(message.seq)
    return send(message, ...rest)
  }) as typeof process.send
  process.on('internalMessage', (message: unknown) => {
    if (isAcknowledgement(message)) handed.delete(message.ack)
  })
  // Once the channel is closed, everything that the worker has said has been read. Of a killed one only `exit` tells of it.
  const end = (): void => {
    if (process.connected) return
    for (const seq of handed) process.emit('internalMessage' as 'message', { cmd: 'NODE_CLUSTER', ack: seq, accepted: true }, undefined as never)
    handed.clear()
  }
  process.once('disconnect', end)
  process.once('exit', end)
}

function isHandOver(message: unknown): message is HandOver {
  return typeof message === 'object' && message !== null && 'act' in message && message.act === 'newconn' && 'seq' in message
}

function isAcknowledgement(message: unknown): message is Acknowledgement {
  return typeof message === 'object' && message !== null && 'ack' in message && typeof message.ack === 'number'
}

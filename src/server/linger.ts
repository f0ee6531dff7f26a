import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { MiB, secondMs } from '../../base/units.ts'

export interface Lingering {
  /** No longer than this altogether. */
  readonly longestMs?: number
  /** Nor longer than this without a byte. */
  readonly idleMs?: number
  /** Nor further than this. */
  readonly mostBytes?: number
}

const defaultLongestMs = 30 * secondMs
const defaultIdleMs = 5 * secondMs
const defaultMostBytes = 256 * MiB

/**
 * Lets a connection's last answer reach a client that is still sending: what it sends is read and thrown away, for a while,
 * before the connection is closed. A socket that is closed with bytes unread resets its connection, and a client that writes
 * then meets EPIPE or ECONNRESET in place of the answer.
 *
 * `isReceiving`: the message that is being answered has not arrived as a whole. Node ends a connection whose last answer is
 * written by `destroySoon`, which is replaced here.
 */
export function lingerOnClose(socket: Socket, isReceiving: () => boolean, options: Lingering & { readonly clock: Clock }): void {
  const destroySoon = socket.destroySoon.bind(socket)
  let isLingering = false
  socket.destroySoon = () => {
    if (isLingering) return
    if (socket.destroyed || !isReceiving()) return destroySoon()
    isLingering = true
    linger(socket, options)
  }
}

/** Ends our side and discards what comes, until the client ends its own; or cuts it off. */
export function linger(socket: Socket, { clock, longestMs = defaultLongestMs, idleMs = defaultIdleMs, mostBytes = defaultMostBytes }: Lingering & { readonly clock: Clock }): void {
  const closed = new AbortController()
  let bytes = 0
  const discard = (piece: Buffer): void => {
    bytes += piece.length
    if (bytes > mostBytes) socket.destroy()
  }
  socket.once('close', () => closed.abort())
  // The parser of HTTP has stopped reading, since nobody takes the body: its listener goes.
  socket.removeAllListeners('data')
  socket.on('data', discard)
  if (socket.writable) socket.end()
  socket.resume()
  // A server's sockets are told when they stand still: `onIdle`.
  socket.setTimeout(idleMs, () => socket.destroy())
  void clock.sleep(longestMs, closed.signal).then(() => socket.destroy())
}

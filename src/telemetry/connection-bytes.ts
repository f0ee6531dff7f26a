import type { Socket } from 'node:net'

export interface ConnectionBytes {
  readonly read: number
  readonly written: number
}

/** The bytes of a connection since it was last asked for: of one request, when asked at the end of each. */
export function countConnectionBytes(): (socket: Socket) => ConnectionBytes {
  const counted = new WeakMap<Socket, ConnectionBytes>()
  return socket => {
    const before = counted.get(socket) ?? { read: 0, written: 0 }
    const now = { read: socket.bytesRead, written: socket.bytesWritten }
    counted.set(socket, now)
    return { read: now.read - before.read, written: now.written - before.written }
  }
}

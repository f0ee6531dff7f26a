/** One keep-alive connection: one request at a time, its response read and dropped. Cheaper than `node:http`, which the server needs more. */
import { connect, type Socket } from 'node:net'
import { ResponseReader, type ReadResponse } from './response-reader.ts'

interface Waiting {
  readonly resolve: (response: ReadResponse) => void
  readonly reject: (error: Error) => void
  readonly bodiless: boolean
}

export class Connection {
  readonly #hostname: string
  readonly #port: number
  #socket: Socket | undefined
  #waiting: Waiting | undefined

  constructor({ hostname, port }: { hostname: string; port: number }) {
    this.#hostname = hostname
    this.#port = port
  }

  /** Rejects when the connection fails; the next request opens another. */
  request(head: string, body: Buffer | undefined, bodiless: boolean): Promise<ReadResponse> {
    const socket = this.#socket ?? this.#open()
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, bodiless }
      if (body === undefined || body.length === 0) socket.write(head, 'latin1')
      else {
        socket.cork()
        socket.write(head, 'latin1')
        socket.write(body)
        socket.uncork()
      }
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #open(): Socket {
    const socket = connect({ host: this.#hostname, port: this.#port, noDelay: true })
    this.#socket = socket
    const reader = new ResponseReader(response => {
      const waiting = this.#waiting
      this.#waiting = undefined
      if (response.close) this.close()
      waiting?.resolve(response)
    })
    const fail = (error: Error) => {
      if (this.#socket === socket) this.#socket = undefined
      const waiting = this.#waiting
      this.#waiting = undefined
      waiting?.reject(error)
    }
    socket.on('data', bytes => reader.push(bytes as Buffer, this.#waiting?.bodiless ?? false))
    socket.on('error', fail)
    socket.on('close', () => {
      if (this.#socket === socket) fail(new Error('the server closed the connection'))
    })
    return socket
  }
}

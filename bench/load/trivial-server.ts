/** Answers every request at once with nothing done: what the load generator reaches against it is the generator's own ceiling. */
import { createServer } from 'node:net'

const ok = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
const headEnd = Buffer.from('\r\n\r\n')

const server = createServer({ noDelay: true }, socket => {
  let bodyLeft = 0
  socket.on('error', () => {})
  socket.on('data', (bytes: Buffer) => {
    let at = 0
    while (at < bytes.length) {
      const inBody = Math.min(bodyLeft, bytes.length - at)
      bodyLeft -= inBody
      at += inBody
      if (inBody > 0 && bodyLeft === 0) socket.write(ok)
      if (at >= bytes.length) return
      const end = bytes.indexOf(headEnd, at)
      if (end < 0) return
      const length = /content-length: (\d+)/.exec(bytes.toString('latin1', at, end))
      bodyLeft = Number(length?.[1] ?? 0)
      at = end + headEnd.length
      if (bodyLeft === 0) socket.write(ok)
    }
  })
})
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`)
})

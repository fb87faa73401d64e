// Answers every request with the same bytes, in a process of its own: what is late here, the machine makes late. Started
// by bare-answer.ts.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

process.once('message', ({ bytes }: { bytes: number }) => {
  const body = Buffer.alloc(bytes, 'x')
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length })
    response.end(body)
  })
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  })
})
process.once('disconnect', () => process.exit(0))

/**
 * The socket in front of a local workerd: it passes bytes on, and tells workerd when a client has gone.
 *
 * A client that closes its connection sends FIN. workerd takes that for half a close, and hears of the rest only when it
 * next writes: for an answer that is not streamed, or still queued, that is when the work has been done for nobody. A
 * reset it hears of at once, and aborts the request. So a client's FIN becomes a reset here. Runs in Node.
 */
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

/** The Worker's named handler that the socket leads to (see `edge/worker.ts`). */
export const DIRECT_ENTRYPOINT = 'edge'

/** How long a client may go on sending what nobody will read after the answer has ended, in milliseconds: in all, and silent. */
const LINGER_MS = 30_000
const LINGER_SILENT_MS = 5_000

export interface FrontOptions {
  host: string
  /** 0: any that is free. */
  port: number
  /** Where workerd listens. */
  upstream: { host: string; port: number }
}

export interface Front {
  readonly port: number
  /** Ends all connections and frees the port. */
  close(): Promise<void>
}

/** @throws the system's error if the port cannot be had */
export async function openFront({ host, port, upstream }: FrontOptions): Promise<Front> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
    join(keep(client), keep(createConnection({ ...upstream, noDelay: true }))),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream, { end: false })
  upstream.pipe(client, { end: false })
  let left = false
  const leave = () => {
    if (left) return
    left = true
    // Only an idle, open connection can be reset at once; the end of any other is heard of anyway.
    const idle = !upstream.connecting && !upstream.readableEnded && upstream.writableLength === 0
    if (idle) upstream.resetAndDestroy()
    else upstream.destroy()
  }
  // What workerd has said reaches the client whole, even one that reads it only when it has sent all that nobody will read.
  let ended = false
  const farewell = () => {
    if (ended || client.destroyed) return
    ended = true
    client.unpipe(upstream)
    client.resume()
    client.end()
    client.setTimeout(LINGER_SILENT_MS, () => client.destroy())
    const longest = setTimeout(() => client.destroy(), LINGER_MS)
    client.once('close', () => clearTimeout(longest))
  }
  client.once('end', leave)
  client.once('close', leave)
  client.once('error', leave)
  upstream.once('end', farewell)
  upstream.once('close', farewell)
  // A broken connection closes, too.
  upstream.once('error', farewell)
}

/**
 * The socket in front of a local workerd: it passes bytes on, and tells workerd when a client has gone.
 *
 * A client that closes its connection sends FIN. workerd takes that for half a close, and hears of the rest only when it
 * next writes: for an answer that is not streamed, or still queued, that is when the work has been done for nobody. A
 * reset it hears of at once, and aborts the request. So a client's FIN becomes a reset here. Runs in Node.
 */
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'

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
  const clients = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    clients.add(client)
    client.once('close', () => clients.delete(client))
    join(client, createConnection({ ...upstream, noDelay: true }))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const client of clients) client.destroy()
      }),
  }
}

function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream, { end: false })
  // What workerd has sent reaches the client whole before its connection ends.
  upstream.pipe(client)
  client.once('end', () => upstream.resetAndDestroy())
  client.once('close', () => upstream.resetAndDestroy())
  client.on('error', () => upstream.resetAndDestroy())
  upstream.on('error', () => client.destroy())
}

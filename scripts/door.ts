/**
 * Holds the port while Tandem gets ready, so that it is known to be free before anything long begins and still is at
 * its end. Whoever calls meanwhile is told to come back.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorCode, reason, StartError } from './start-error.ts'

const SECONDS_TO_RETRY = 2

export interface Door {
  readonly port: number
  /** Frees the port. */
  close(): Promise<void>
}

/** @throws StartError if the port is taken, or is not for this user to take */
export async function openDoor(host: string, port: number): Promise<Door> {
  const body = JSON.stringify({ status: 'starting', detail: 'setting up' })
  const server = createServer((_request, response) => {
    response.writeHead(503, {
      'content-type': 'application/json',
      'retry-after': String(SECONDS_TO_RETRY),
      'cache-control': 'no-store',
      connection: 'close',
    })
    response.end(body)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portError(host, port, error)))
    server.listen({ host, port, exclusive: true }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Why a port cannot be had, and what to do. */
export function portError(host: string, port: number, cause: unknown): StartError {
  const another = `Set another one: PORT=${port === 8787 ? 8788 : 8787} npm start`
  switch (errorCode(cause)) {
    case 'EADDRINUSE':
      return new StartError(`Port ${port} on ${host} is taken by another program. ${another}`, { cause })
    case 'EACCES':
      return new StartError(`Port ${port} may not be opened by this user. ${another}`, { cause })
    case 'EADDRNOTAVAIL':
      return new StartError(`HOST ${host} is not an address of this machine.`, { cause })
    default:
      return new StartError(`Port ${port} on ${host} cannot be opened: ${reason(cause)}. ${another}`, { cause })
  }
}

/** A port on loopback that is free now. */
export async function freePort(): Promise<number> {
  const door = await openDoor('127.0.0.1', 0)
  await door.close()
  return door.port
}

/** The edge as a runner that trains sees it: `/internal/jobs…`. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { errorBodySchema } from '#protocol/error.ts'
import {
  type EndReport,
  type LeasedJob,
  leasedJobSchema,
  type ObjectKind,
  type Report,
  sampleFileSchema,
  wishSchema,
} from '#protocol/training-lease.ts'

const TIMEOUT_MS = 10_000
/** Of a whole file. */
const TRANSFER_MS = 600_000
/** An edge that cannot be reached for so long has given the job to another. */
const PATIENCE_MS = 60_000
/** While the runner stops: the edge may be stopping, too. */
const HURRIED_MS = 2_000
const FIRST_RETRY_MS = 250
const MOST_RETRY_MS = 5_000

/** The job is another's by now, or nobody knows: nothing that is done for it counts any more. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** The edge refuses it, and will again. */
export class EdgeRefusal extends Error {
  override readonly name = 'EdgeRefusal'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** It may be otherwise in a moment. */
class EdgeAway extends Error {
  override readonly name = 'EdgeAway'
}

export class EdgeJobs {
  readonly #edge: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #runner: string
  #patience = PATIENCE_MS

  constructor({ edge, secret, runner }: { edge: string; secret: string; runner: string }) {
    this.#edge = edge
    this.#headers = { authorization: `Bearer ${secret}` }
    this.#runner = runner
  }

  /** From now on an edge that is away is not waited for. */
  hurry(): void {
    this.#patience = HURRIED_MS
  }

  /** A job that waits; undefined if there is none, or no edge. */
  async lease(): Promise<LeasedJob | undefined> {
    try {
      const response = await this.#ask('lease', { method: 'POST', json: { runner: this.#runner } })
      if (response.status === 204) return undefined
      return v.parse(leasedJobSchema, await response.json())
    } catch (error) {
      if (error instanceof EdgeAway) return undefined
      throw error
    }
  }

  /**
   * Once. @returns what to do; undefined if it was not heard
   * @throws LeaseLost
   */
  async report(job: LeasedJob, told: Omit<Report, 'token'>): Promise<'go' | 'stop' | undefined> {
    try {
      const response = await this.#ask(`${job.id}/report`, { method: 'POST', json: { ...told, token: job.token } })
      return v.parse(wishSchema, await response.json()).wish
    } catch (error) {
      if (error instanceof EdgeAway) return undefined
      throw error
    }
  }

  /** @throws LeaseLost */
  async end(job: LeasedJob, told: Omit<EndReport, 'token'>): Promise<void> {
    await this.#patiently(() => this.#ask(`${job.id}/end`, { method: 'POST', json: { ...told, token: job.token } }))
  }

  /** A data file. @throws LeaseLost, EdgeRefusal with 404 if it is gone, the system's error if it cannot be written */
  async download(job: LeasedJob, id: string, file: string): Promise<void> {
    await this.#fetchTo(`${job.id}/data/${id}?token=${job.token}`, file)
  }

  /** The checkpoint to go on from. @returns whether it is what it should be */
  async downloadCheckpoint(job: LeasedJob, sha256: string, file: string): Promise<boolean> {
    try {
      await this.#fetchTo(`${job.id}/checkpoints/${sha256}?token=${job.token}`, file)
    } catch (error) {
      if (error instanceof EdgeRefusal && error.status === 404) return false
      throw error
    }
    return (await hashOfFile(file)) === sha256
  }

  /**
   * Puts a file into the object store under its hash.
   * @returns the hash, and the id of the file that samples become
   */
  async put(job: LeasedJob, kind: ObjectKind, file: string): Promise<{ sha256: string; bytes: number; id?: string }> {
    const sha256 = await hashOfFile(file)
    const body = await openAsBlob(file)
    const target = `${job.id}/${kind}/${sha256}?token=${job.token}&filename=${path.basename(file)}`
    const response = await this.#patiently(() => this.#ask(target, { method: 'PUT', body, timeout: TRANSFER_MS }))
    const answer: unknown = await response.json()
    return { sha256, bytes: body.size, ...(kind === 'samples' && v.parse(sampleFileSchema, answer)) }
  }

  async #fetchTo(target: string, file: string): Promise<void> {
    await this.#patiently(async () => {
      const response = await this.#ask(target, { method: 'GET', timeout: TRANSFER_MS })
      if (!response.body) throw new EdgeAway('there is no body')
      // Node's and the Web's types of a stream differ in name alone.
      const source = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0])
      let broken = false
      source.once('error', () => {
        broken = true
      })
      await pipeline(source, createWriteStream(file)).catch((error: unknown) => {
        throw broken ? new EdgeAway('the line broke', { cause: error }) : error
      })
    })
  }

  /** Again while the edge is away. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T> {
    const since = performance.now()
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(MOST_RETRY_MS, 2 * wait)) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof EdgeAway)) throw error
        if (performance.now() + wait - since > this.#patience) throw new LeaseLost('the edge is away', { cause: error })
        await delay(wait)
      }
    }
  }

  /** @throws EdgeAway, LeaseLost or EdgeRefusal unless it is answered */
  async #ask(
    target: string,
    { method, json, body, timeout = TIMEOUT_MS }: { method: string; json?: unknown; body?: Blob; timeout?: number },
  ): Promise<Response> {
    const response = await fetch(new URL(`/internal/jobs/${target}`, this.#edge), {
      method,
      headers: { ...this.#headers, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
      signal: AbortSignal.timeout(timeout),
    }).catch((cause: unknown) => {
      throw new EdgeAway('the edge cannot be reached', { cause })
    })
    if (response.ok) return response
    const text = await response.text().catch(() => '')
    const message = messageOf(text)
    if (response.status === 409) throw new LeaseLost(message)
    if (response.status >= 500 || response.status === 429) throw new EdgeAway(message)
    throw new EdgeRefusal(response.status, message)
  }
}

function messageOf(text: string): string {
  try {
    return v.parse(errorBodySchema, JSON.parse(text)).error.message
  } catch {
    return text.slice(0, 200)
  }
}

async function hashOfFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

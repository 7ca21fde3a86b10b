/** A runner that takes jobs and tells what a test wants it to tell, over the routes that real ones use. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import type { PublishedModel, PublishedTranslation } from '#protocol/published-model.ts'
import { type EndReport, type LeasedJob, leasedJobSchema, type Report, wishSchema } from '#protocol/training-lease.ts'
import { type Edge, errorOf } from './edge.ts'
import { RUNNER_SECRET } from './stub-runner.ts'

const HEADERS = { authorization: `Bearer ${RUNNER_SECRET}` }

export const hashOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

export class JobRunner {
  readonly #edge: Edge
  readonly #name: string

  constructor(edge: Edge, name: string) {
    this.#edge = edge
    this.#name = name
  }

  async lease(): Promise<LeasedJob | null> {
    const response = await this.#ask('/internal/jobs/lease', { body: { runner: this.#name } })
    if (response.status === 204) return null
    assert.equal(response.status, 200)
    return v.parse(leasedJobSchema, await response.json())
  }

  /** Until a job waits for a runner. */
  async leaseNext(): Promise<LeasedJob> {
    for (;;) {
      const leased = await this.lease()
      if (leased) return leased
    }
  }

  async report({ id, token }: LeasedJob, told: Partial<Report> = {}): Promise<'go' | 'stop'> {
    const body = { token, from: 0, events: [], ...told }
    const response = await this.#ask(`/internal/jobs/${id}/report`, { body })
    assert.equal(response.status, 200, await response.clone().text())
    return v.parse(wishSchema, await response.json()).wish
  }

  async end({ id, token }: LeasedJob, told: Partial<EndReport> & Pick<EndReport, 'outcome'>): Promise<Response> {
    return this.#ask(`/internal/jobs/${id}/end`, { body: { token, from: 0, events: [], ...told } })
  }

  /** @returns the answer, and the hash that it was put under */
  async put(
    { id, token }: LeasedJob,
    kind: 'checkpoints' | 'models' | 'samples',
    bytes: Uint8Array | string,
    sha256 = hashOf(bytes),
  ): Promise<{ response: Response; sha256: string }> {
    const target = `/internal/jobs/${id}/${kind}/${sha256}?token=${token}`
    const body = Buffer.from(bytes)
    const response = await fetch(this.#edge.url + target, { method: 'PUT', headers: HEADERS, body })
    return { response, sha256 }
  }

  async checkpoint(job: LeasedJob, step: number, bytes: string): Promise<void> {
    const { sha256, response } = await this.put(job, 'checkpoints', bytes)
    assert.equal(response.status, 200, await response.text())
    await this.report(job, { checkpoint: { sha256, bytes: bytes.length, step, metrics: { loss: 1 / step } } })
  }

  /** A model of one file, as if it had been trained. */
  async succeed(job: LeasedJob, file: string): Promise<Response> {
    const { sha256, response } = await this.put(job, 'models', file)
    assert.equal(response.status, 200, await response.text())
    return this.end(job, { outcome: { type: 'succeeded', manifest: manifestOf(job, sha256, file.length) } })
  }

  /** A model that translates, whose files are nothing but this text. */
  async succeedTranslating(job: LeasedJob, contents: string): Promise<void> {
    assert.ok(job.method.type === 'translation')
    const { source_language: source = '', target_language: target = '' } = job.method.translation
    const put = async (name: string) => {
      const bytes = `${name} ${contents}`
      const { sha256, response } = await this.put(job, 'models', bytes)
      assert.equal(response.status, 200, await response.text())
      return { sha256, bytes: bytes.length }
    }
    const metrics = { 'validation.bleu': 30 }
    const manifest: PublishedTranslation = {
      ...{ id: job.model_id, created: 1, owner: job.owner },
      card: { description: 'x', data: 'x', licence: 'x', metrics, recipe: { base: job.model } },
      parts: {
        ...{ family: 'translation', languages: { source, target }, width: 32, heads: 1, decoderLayers: 1 },
        ...{ sourceLength: 128, targetLength: 128, vocabulary: await put('v') },
        ...{ encoder: await put('e'), decoder: await put('d') },
      },
    }
    const response = await this.end(job, { outcome: { type: 'succeeded', manifest } })
    assert.equal(response.status, 200, await response.text())
  }

  async get(path: string): Promise<Response> {
    return this.#ask(path, {})
  }

  #ask(path: string, { body }: { body?: unknown }): Promise<Response> {
    return this.#edge.ask(path, { key: null, headers: HEADERS, ...(body === undefined ? {} : { body }) })
  }
}

function manifestOf(job: LeasedJob, sha256: string, bytes: number): PublishedModel {
  return {
    id: job.model_id,
    created: 1,
    owner: job.owner,
    parts: {
      family: 'denoiser',
      input: { kind: 'images', channels: 1, height: 8, width: 8 },
      denoiser: { sha256, bytes },
    },
    card: { description: 'x', data: 'x', licence: 'x', metrics: { 'validation.loss': 0.5 }, recipe: { method: 'vae' } },
  }
}

export async function codeOf(response: Response): Promise<[number, string | null]> {
  const { status, code } = await errorOf(response)
  return [status, code]
}

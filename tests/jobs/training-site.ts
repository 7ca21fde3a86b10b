/** An edge and runners that train, each in processes of their own; and the data that they train on. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import OpenAI, { toFile } from 'openai'
import sharp from 'sharp'
import { type Edge, type EdgeOptions, startEdge } from '#edge/testing/edge.ts'
import { RUNNER_SECRET } from '#edge/testing/stub-runner.ts'
import { zipOf } from '#gpu-runner/testing/zip.ts'
import type { Job } from '#protocol/training.ts'

const MS_BETWEEN_LOOKS = 50

export type Client = OpenAI
export type JobBody = Parameters<OpenAI['fineTuning']['jobs']['create']>[0]

export class TrainingSite {
  readonly edge: Edge
  readonly folder: string
  readonly #runners = new Set<ChildProcess>()

  constructor(edge: Edge, folder: string) {
    this.edge = edge
    this.folder = folder
  }

  /** @param options of the edge */
  static async start(options: EdgeOptions = {}): Promise<TrainingSite> {
    return new TrainingSite(await startEdge(options), await mkdtemp(path.join(tmpdir(), 'tandem-jobs-')))
  }

  /** Somebody of their own. */
  async client(owner: string): Promise<Client> {
    const { key } = await this.edge.newKey({ owner })
    return new OpenAI({ apiKey: key, baseURL: `${this.edge.url}/v1`, maxRetries: 0 })
  }

  startRunner(): ChildProcess {
    const env = { ...process.env, EDGE_URL: this.edge.url, RUNNER_SECRET, JOBS_FOLDER: this.folder }
    const runner = fork(path.join(import.meta.dirname, 'runner-process.ts'), {
      env,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#runners.add(runner)
    runner.once('exit', () => this.#runners.delete(runner))
    return runner
  }

  async endAllBut(one: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    await Promise.all([...this.#runners].filter((runner) => runner !== one).map((runner) => this.end(runner, signal)))
  }

  async end(runner: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    const ended = once(runner, 'exit')
    runner.kill(signal)
    await ended
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#runners].map((runner) => this.end(runner, 'SIGKILL')))
    await this.edge.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}

export async function upload(client: Client, name: string, contents: Buffer | string): Promise<string> {
  const file = await toFile(Buffer.from(contents), name)
  return (await client.files.create({ file, purpose: 'fine-tune' })).id
}

/** Of the client's types `method` knows OpenAI's alone. */
export function bodyOf(
  model: 'vae' | 'autoencoder' | 'denoiser' | 'gan',
  training_file: string,
  hyperparameters: object,
  more: object = {},
): JobBody {
  const type = model === 'denoiser' ? 'autoencoder' : model
  const method = { type, [type]: { hyperparameters } }
  return { model, training_file, method, seed: 7, ...more } as unknown as JobBody
}

/** As soon as `holds`. @throws AssertionError if the job ends before */
export async function until(client: Client, id: string, holds: (job: Job) => boolean): Promise<Job> {
  for (;;) {
    const job = (await client.fineTuning.jobs.retrieve(id)) as unknown as Job
    if (holds(job)) return job
    assert.ok(!['succeeded', 'failed', 'cancelled'].includes(job.status), JSON.stringify(job))
    await delay(MS_BETWEEN_LOOKS)
  }
}

export const is = (status: Job['status']) => (job: Job) => job.status === status

/** Its messages, oldest first. */
export async function messagesOf(client: Client, id: string): Promise<string[]> {
  const messages: string[] = []
  for await (const { message } of client.fineTuning.jobs.listEvents(id, { limit: 1_000 })) messages.push(message)
  return messages.reverse()
}

/** Hashes of the model's files, in the order of its manifest. */
export async function filesOf({ edge }: TrainingSite, model: string): Promise<string[]> {
  const row = await edge.database
    .prepare('SELECT manifest FROM trained_models WHERE id = ?')
    .bind(model)
    .first<{ manifest: string }>()
  return [...(row?.manifest ?? '').matchAll(/"sha256":"(\w+)"/g)].map(([, hash]) => hash ?? '')
}

/** Of pictures: few steps, each of them slow, so that there is time to interrupt it. */
export const LONG = { n_epochs: 300, batch_size: 64, image_size: 32, channels: 3, latents: 4, condition: 'none' }

/** Three columns that hang together. */
export function table(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const x = Math.sin(i)
    return [x, 2 * x + Math.cos(3 * i) / 10, 1 - x].map((value) => value.toFixed(4)).join()
  })
  return `a,b,c\n${lines.map((line) => `${line}\n`).join('')}`
}

/** Squares of two kinds. */
export async function pictures(count: number): Promise<Buffer> {
  const entries = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const background = { r: (40 * i) % 256, g: i % 2 === 0 ? 30 : 200, b: 90 }
      const contents = await sharp({ create: { width: 16, height: 16, channels: 3, background } })
        .png()
        .toBuffer()
      return { name: `${i % 2 === 0 ? 'dark' : 'light'}/${i}.png`, contents }
    }),
  )
  return zipOf(entries)
}

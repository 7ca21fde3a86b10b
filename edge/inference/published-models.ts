/**
 * The models that ship with Tandem or were published to the object store: their manifests, and their files, verified and
 * in memory.
 */
import * as v from 'valibot'
import { BUNDLED_MANIFESTS } from '#models/bundled/bundled.ts'
import { ApiError } from '#protocol/error.ts'
import {
  type AnyPublished,
  anyPublishedSchema,
  isTranslation,
  type ModelFile,
  type PublishedModel,
  publishedModelSchema,
} from '#protocol/published-model.ts'
import type { EdgeContext } from '../context.ts'
import type { Bindings } from '../env.ts'
import { logUnusableModel } from '../http/log.ts'
import { sha256Of } from '../storage/secrets.ts'
import { SESSIONS_CAPACITY, SessionCache } from './session-cache.ts'
import type { Session, Tensors } from './tensor.ts'

/** A file and its weights in the engine lie in memory at once while it is loaded; a Worker has 128 MB for everything. */
const MOST_FILE_BYTES = 16 << 20
/** What is published again is seen after so long. */
const MANIFEST_LIFETIME_MS = 10_000
const MOST_MANIFESTS = 256
const MOST_MANIFEST_BYTES = 1 << 20

const ID = publishedModelSchema.entries.id
const MANIFESTS = 'manifests/'

interface Known {
  readonly model: AnyPublished
  readonly until: number
}

export interface Run<Name extends string> {
  readonly file: ModelFile
  readonly inputs: Tensors
  readonly wanted: Readonly<Record<Name, readonly number[]>>
}

/** An object that is missing, altered or unreadable. */
class UnusableModel extends Error {
  override readonly name = 'UnusableModel'
}

/** One for each Worker: its memory is one. */
class PublishedModels {
  readonly #manifests = new Map<string, Known>()
  readonly #sessions = new SessionCache(SESSIONS_CAPACITY)

  /**
   * @param owner who asks
   * @throws ApiError 404 if there is no such model for them, 400 if it translates, 503 if its manifest cannot be read
   */
  async find(c: EdgeContext, owner: string, id: string): Promise<PublishedModel> {
    const model = await this.#manifest(c.env, id)
    if (model && (model.owner === null || model.owner === owner)) {
      if (!isTranslation(model)) return model
      const message = `The model '${id}' translates texts: it is asked by /v2/translate and /translate.`
      throw new ApiError('invalid_value', message, { param: 'model' })
    }
    throw new ApiError('model_not_found', `The model '${id.slice(0, 100)}' does not exist.`, { param: 'model' })
  }

  /** It has been deleted. */
  forget(id: string): void {
    this.#manifests.delete(id)
  }

  /** What ships with Tandem. */
  list(): readonly PublishedModel[] {
    return [...bundled().values()]
  }

  /**
   * Runs one of a model's files.
   * @param wanted the outputs' names and shapes
   * @throws ApiError 503 if the file is missing, altered or not what the manifest says, 501 if it is too large for the
   *   edge, 422 if what it computed are no numbers
   */
  async run<Name extends string>(
    c: EdgeContext,
    { id }: PublishedModel,
    { file, inputs, wanted }: Run<Name>,
  ): Promise<Record<Name, Float32Array>> {
    if (file.bytes > MOST_FILE_BYTES) {
      const message = `The model '${id}' is too large for the edge: it has ${file.bytes} bytes, the limit is ${MOST_FILE_BYTES}.`
      throw new ApiError('not_implemented', message, { param: 'model' })
    }
    const open = async () => {
      const session = await openFile(c.env, id, file)
      const run = (given: Tensors) =>
        session.run(given).catch((cause: unknown) => {
          throw new UnusableModel(`models/${file.sha256} does not run: ${String(cause)}`, { cause })
        })
      return { ...session, run }
    }
    const keep = (load: Promise<unknown>) => c.executionCtx.waitUntil(load)
    try {
      return checked(await this.#sessions.run(file, inputs, { open, keep }), wanted, file)
    } catch (error) {
      throw unavailable(id, error)
    }
  }

  async #manifest(env: Bindings, id: string): Promise<AnyPublished | null> {
    if (!v.is(ID, id)) return null
    const shipped = bundled().get(id)
    if (shipped) return shipped
    const now = Date.now()
    const known = this.#manifests.get(id)
    if (known && known.until > now) return known.model
    this.#manifests.delete(id)
    const object = await env.OBJECTS.get(`${MANIFESTS}${id}.json`)
    if (!object) return null
    const model = await parse(id, object.size, () => object.text())
    const oldest = this.#manifests.size >= MOST_MANIFESTS ? this.#manifests.keys().next().value : undefined
    if (oldest !== undefined) this.#manifests.delete(oldest)
    this.#manifests.set(id, { model, until: now + MANIFEST_LIFETIME_MS })
    return model
  }
}

async function openFile(env: Bindings, id: string, { sha256 }: ModelFile): Promise<Session> {
  const bytes = await (bundled().has(id) ? shippedFile(env, sha256) : storedFile(env, sha256))
  const actual = await sha256Of(bytes)
  if (actual !== sha256) throw new UnusableModel(`models/${sha256} holds other bytes, of SHA-256 ${actual}`)
  const { createSession } = await import('./onnx-runtime.ts')
  return createSession(bytes).catch((cause: unknown) => {
    throw new UnusableModel(`models/${sha256} cannot be read as a model: ${String(cause)}`, { cause })
  })
}

async function storedFile(env: Bindings, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
  const object = await env.OBJECTS.get(`models/${sha256}`)
  if (!object) throw new UnusableModel(`models/${sha256} is not in the object store`)
  if (object.size > MOST_FILE_BYTES) throw new UnusableModel(`models/${sha256} has ${object.size} bytes`)
  return new Uint8Array(await object.arrayBuffer())
}

async function shippedFile(env: Bindings, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
  const found = await env.ASSETS.fetch(`http://assets/models/${sha256}.onnx`)
  if (!found.ok) throw new UnusableModel(`models/${sha256}.onnx is not among the assets: HTTP ${found.status}`)
  return new Uint8Array(await found.arrayBuffer())
}

function checked<Name extends string>(
  outputs: Tensors,
  wanted: Readonly<Record<Name, readonly number[]>>,
  { sha256 }: ModelFile,
): Record<Name, Float32Array> {
  const entries = Object.entries<readonly number[]>(wanted).map(([name, shape]) => {
    const output = outputs[name]
    if (!output || output.shape.join() !== shape.join()) {
      const got = output ? `[${output.shape}]` : 'none'
      throw new UnusableModel(`models/${sha256} should give '${name}' of shape [${shape}], got ${got}`)
    }
    if (!output.data.every(Number.isFinite)) {
      throw new ApiError('unprocessable', 'The model computes no finite numbers from this input.')
    }
    return [name, output.data] as const
  })
  return Object.fromEntries(entries) as Record<Name, Float32Array>
}

async function parse(id: string, size: number, text: () => Promise<string>): Promise<AnyPublished> {
  try {
    if (size > MOST_MANIFEST_BYTES) throw new UnusableModel(`its manifest has ${size} bytes`)
    const model = v.parse(anyPublishedSchema, JSON.parse(await text()))
    if (model.id !== id) throw new UnusableModel(`its manifest is that of '${model.id}'`)
    return model
  } catch (cause) {
    throw unavailable(id, new UnusableModel(`its manifest cannot be read: ${String(cause)}`, { cause }))
  }
}

/** Parsed when the first is asked for: most Workers answer something else. */
let shipped: ReadonlyMap<string, PublishedModel> | undefined
function bundled(): ReadonlyMap<string, PublishedModel> {
  shipped ??= new Map(
    Object.entries(BUNDLED_MANIFESTS).map(([id, manifest]) => [id, v.parse(publishedModelSchema, manifest)]),
  )
  return shipped
}

function unavailable(id: string, error: unknown): unknown {
  if (!(error instanceof UnusableModel)) return error
  logUnusableModel(id, error.message)
  return new ApiError('model_unavailable', `The model '${id}' cannot be read from the object store.`, { cause: error })
}

export const publishedModels = new PublishedModels()

/**
 * The Durable Object that translates a document. The alarm does the work: whatever ends it, the alarm comes again, and the
 * work begins anew. What nobody fetches is forgotten after a day.
 */
import { DurableObject } from 'cloudflare:workers'
import { ApiError, type ErrorCode } from '#protocol/error.ts'
import type { DocumentStatus } from '#protocol/documents.ts'
import { admitTokens, renewing, settle } from '../accounts/admission.ts'
import { entriesOf } from '../accounts/settle-answer.ts'
import type { Bindings } from '../env.ts'
import { logFailure } from '../http/log.ts'
import { Runners } from '../runners/runners.ts'
import { findGlossary, readDictionary } from '../storage/glossaries.ts'
import { addCharacters } from '../storage/translated-characters.ts'
import { newUsageId } from '../storage/usage.ts'
import { CountedTranslations } from '../translation/counted-translations.ts'
import { detectAmong } from '../translation/detect-language.ts'
import type { Terms } from '../translation/glossary-terms.ts'
import { MarkupError } from '../translation/markup-tokens.ts'
import { sourcesInto } from '../translation/pairs.ts'
import { pairsFor } from '../translation/pairs-for.ts'
import { NoSuchPair } from '../translation/translate-texts.ts'
import { type DocumentObject, type DocumentRecord, documentKeys } from './document-object.ts'
import { kindOf } from './kinds.ts'
import { DocumentError } from './open-document.ts'
import { translateDocument } from './translate-document.ts'

const KEPT_MS = 24 * 3600 * 1000
/** While no runner has room: after so long, twice as long each time. */
const AGAIN_MS = { first: 1_000, longest: 30_000 }
/** What has not been translated by then will not be. */
const PATIENCE_MS = 3600 * 1000
/** What another try may do better. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'runner_unavailable',
  'runner_timeout',
  'runner_failed',
  'model_loading',
  'model_unavailable',
  'queue_full',
  'rate_limit_exceeded',
])

interface State {
  readonly status: DocumentStatus['status']
  readonly error?: string
  readonly tries: number
}

export class TranslatedDocument extends DurableObject<Bindings> implements DocumentObject {
  /** Settles when the work has ended; stops it. */
  #work = Promise.withResolvers<void>()
  #stop = new AbortController()

  async begin(record: string): Promise<void> {
    await this.ctx.storage.put({ record, state: { status: 'queued', tries: 0 } satisfies State })
    await this.ctx.storage.setAlarm(Date.now())
  }

  async status(owner: string, keyHash: string): Promise<string | null> {
    const found = await this.#found(owner, keyHash)
    if (!found) return null
    const { record, state } = found
    const { status, error } = state
    const answer: DocumentStatus = {
      document_id: record.id,
      status,
      ...(status === 'queued' || status === 'translating' ? { seconds_remaining: secondsFor(record.characters) } : {}),
      ...(status === 'done' ? { seconds_remaining: 0, billed_characters: record.characters } : {}),
      ...(error === undefined ? {} : { error_message: error, message: error }),
    }
    return JSON.stringify(answer)
  }

  async ended(owner: string, keyHash: string): Promise<string | null> {
    const found = await this.#found(owner, keyHash)
    if (found && !hasEnded(found.state)) await this.#work.promise
    return this.status(owner, keyHash)
  }

  async done(owner: string | null, keyHash: string): Promise<string | false | null> {
    const found = await this.#found(owner, keyHash)
    return found && (found.state.status === 'done' ? found.record.filename : false)
  }

  override async alarm(): Promise<void> {
    const record = await this.#record()
    if (!record) return
    const state = (await this.ctx.storage.get<State>('state')) ?? { status: 'queued', tries: 0 }
    if (hasEnded(state)) return this.forget()
    await this.ctx.storage.put('state', { ...state, status: 'translating' } satisfies State)
    const ended = await this.#translate(record).then(
      (): State => ({ ...state, status: 'done' }),
      (error: unknown) => this.#after(error, record, state),
    )
    // It may have been forgotten meanwhile.
    if (!(await this.#record())) return this.env.OBJECTS.delete(Object.values(documentKeys(record.id)))
    await this.ctx.storage.put('state', ended)
    if (hasEnded(ended)) this.#work.resolve()
    const wait = Math.min(AGAIN_MS.longest, AGAIN_MS.first * 2 ** state.tries)
    await this.ctx.storage.setAlarm(Date.now() + (ended.status === 'queued' ? wait : KEPT_MS))
  }

  /** What becomes of it after an error. */
  #after(error: unknown, record: DocumentRecord, { tries }: State): State {
    const isPassing = error instanceof ApiError && PASSING.has(error.code)
    if (isPassing && Date.now() - record.createdAt < PATIENCE_MS) return { status: 'queued', tries: tries + 1 }
    const told = reasonOf(error)
    if (told === null && !this.#stop.signal.aborted)
      logFailure({ requestId: record.id, method: 'ALARM', route: '/v2/document' }, error)
    return { status: 'error', tries, error: told ?? 'The server failed.' }
  }

  async #translate(record: DocumentRecord): Promise<void> {
    const { DB, OBJECTS } = this.env
    const { account, target, filename, characters, model = null } = record
    const keys = documentKeys(record.id)
    const object = await OBJECTS.get(keys.source)
    if (!object) throw new DocumentError('it is gone')
    const bytes = new Uint8Array(await object.arrayBuffer())
    const document = kindOf(filename).open(bytes)
    const runners = new Runners(this.env, record.id)
    const pairs = await pairsFor(this.env, runners, { owner: account.owner, model })
    const words = document.segments.map(({ text }) => text).join('\n')
    // One in the target's language already is as it was.
    const source = record.source ?? detectAmong(words, [...sourcesInto(pairs, target), target]).language
    if (source === target) return void (await OBJECTS.put(keys.result, bytes))
    const terms = await this.#terms(record, source)
    const id = newUsageId()
    await admitTokens(this.env, account, id, async () => characters)
    const counted = new CountedTranslations(runners, { beam: 4, alternatives: 0 }, this.#stop.signal)
    const startedAt = Date.now()
    const reservation = renewing(this.env, account, id)
    try {
      const request = { source, target, terms }
      const translated = await translateDocument(document, request, pairs, (pair) => counted.by(pair))
      await OBJECTS.put(keys.result, translated)
      await addCharacters(DB, account.owner, characters, Date.now())
      await OBJECTS.delete(keys.source)
    } finally {
      reservation[Symbol.dispose]()
      await settle(this.env, account, id, entriesOf(account, { id, route: '/v2/document', startedAt }, counted.used))
    }
  }

  async #terms({ account, glossary, target }: DocumentRecord, source: string): Promise<Terms> {
    if (glossary === null) return new Map()
    const mine = await findGlossary(this.env.DB, account.owner, glossary)
    const dictionary = mine && (await readDictionary(this.env.DB, glossary, source, target))
    if (!dictionary) throw new DocumentError('its glossary is gone')
    return new Map(dictionary.entries)
  }

  async forget(): Promise<void> {
    this.#stop.abort()
    this.#work.resolve()
    const record = await this.#record()
    if (record) await this.env.OBJECTS.delete(Object.values(documentKeys(record.id)))
    await this.ctx.storage.deleteAll()
    await this.ctx.storage.deleteAlarm()
  }

  async #record(): Promise<DocumentRecord | null> {
    const record = await this.ctx.storage.get<string>('record')
    return record === undefined ? null : (JSON.parse(record) as DocumentRecord)
  }

  async #found(owner: string | null, keyHash: string) {
    const record = await this.#record()
    const state = await this.ctx.storage.get<State>('state')
    if (!record || !state || record.keyHash !== keyHash) return null
    if (owner !== null && record.account.owner !== owner) return null
    return { record, state }
  }
}

const hasEnded = ({ status }: State): boolean => status === 'done' || status === 'error'

/** What the caller may be told; null: nothing of it. */
function reasonOf(error: unknown): string | null {
  if (error instanceof ApiError) return error.message
  if (error instanceof NoSuchPair) return `Nothing here translates from '${error.source}' into this language.`
  if (error instanceof DocumentError || error instanceof MarkupError)
    return `The document cannot be read: ${error.message}.`
  return null
}

/** As long as it likely takes; the clients do not go by it. */
const secondsFor = (characters: number): number => Math.ceil(characters / 1_000)

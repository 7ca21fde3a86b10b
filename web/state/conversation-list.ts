/** The conversations that the server keeps, newest activity first. A deletion can be undone for ten seconds. */
import { computed, signal } from '@preact/signals'
import type { Conversation } from '../transport/answers.ts'
import type { ConversationsApi } from '../transport/conversations.ts'
import { ConversationSearch } from './conversation-search.ts'

const PAGE = 50
export const UNDO_MS = 10_000
const TITLE_LENGTH = 60

export interface Removal {
  readonly conversation: Conversation
  readonly timer: ReturnType<typeof setTimeout>
}

export class ConversationList {
  readonly #all = signal<readonly Conversation[]>([])
  /** Opened by its address, and not among those that are loaded. */
  readonly #opened = signal<Conversation | null>(null)
  readonly search: ConversationSearch
  readonly hasMore = signal(false)
  readonly state = signal<'loading' | 'loaded' | 'failed'>('loading')
  /** The deletion that can still be undone. */
  readonly removal = signal<Removal | null>(null)
  /** What was found; until the server has answered, what is loaded and has it in its title. */
  readonly shown = computed(() => {
    const wanted = this.search.query.value.trim().toLowerCase()
    const hidden = this.removal.value?.conversation.id
    const found =
      this.search.found.value ??
      this.#all.value.filter(({ metadata }) => (metadata.title ?? '').toLowerCase().includes(wanted))
    return found.filter(({ id }) => id !== hidden)
  })
  readonly #api: ConversationsApi
  readonly #onFailure: (error: unknown) => void

  constructor(api: ConversationsApi, onFailure: (error: unknown) => void) {
    this.#api = api
    this.#onFailure = onFailure
    this.search = new ConversationSearch(api, onFailure)
  }

  get(id: string): Conversation | undefined {
    const known = [...this.#all.value, ...(this.search.found.value ?? []), this.#opened.value]
    return known.find((candidate) => candidate?.id === id) ?? undefined
  }

  /** Makes one known that is not among those that are loaded. Whoever opens it is told if it is missing. */
  async know(id: string): Promise<void> {
    if (this.get(id)) return
    this.#opened.value = await this.#api.read(id).catch(() => null)
  }

  async load(): Promise<void> {
    this.state.value = 'loading'
    await this.#page(null)
  }

  async loadMore(): Promise<void> {
    await this.#page(this.#all.value.at(-1)?.id ?? null)
  }

  /** Puts a conversation first: it is new, or something was said in it. */
  raise(conversation: Conversation): void {
    this.#all.value = [conversation, ...this.#all.value.filter(({ id }) => id !== conversation.id)]
  }

  touch(id: string): void {
    const conversation = this.get(id)
    if (conversation) this.raise(conversation)
  }

  async rename(id: string, title: string): Promise<void> {
    const conversation = this.get(id)
    const trimmed = titleOf(title)
    if (!conversation || trimmed === '') return
    const metadata = { ...conversation.metadata, title: trimmed }
    this.#replace({ ...conversation, metadata })
    try {
      await this.#api.rename(id, metadata)
    } catch (error) {
      this.#replace(conversation)
      this.#onFailure(error)
    }
  }

  /** Hides it at once, and deletes it when the time to undo is over. An earlier deletion is carried out now. */
  remove(id: string): void {
    const conversation = this.get(id)
    if (!conversation) return
    this.flush()
    this.removal.value = { conversation, timer: setTimeout(() => this.flush(), UNDO_MS) }
  }

  undo(): void {
    clearTimeout(this.removal.value?.timer)
    this.removal.value = null
  }

  /** Carries out what could still be undone. `leaving`: the page is being closed. */
  flush(leaving = false): void {
    const removal = this.removal.value
    if (!removal) return
    clearTimeout(removal.timer)
    const { conversation } = removal
    this.#all.value = this.#all.value.filter(({ id }) => id !== conversation.id)
    this.search.change(conversation.id, null)
    this.removal.value = null
    this.#api.remove(conversation.id, leaving).catch((error: unknown) => {
      this.raise(conversation)
      this.#onFailure(error)
    })
  }

  #replace(conversation: Conversation): void {
    this.#all.value = this.#all.value.map((old) => (old.id === conversation.id ? conversation : old))
    this.search.change(conversation.id, conversation)
    if (this.#opened.value?.id === conversation.id) this.#opened.value = conversation
  }

  async #page(after: string | null): Promise<void> {
    const before = new Set(after === null ? this.#all.value.map(({ id }) => id) : [])
    try {
      const { data, has_more } = await this.#api.list(after, PAGE)
      // What was made while the list was on its way may not be in it.
      const kept = this.#all.value.filter(({ id }) => !before.has(id))
      const known = new Set(kept.map(({ id }) => id))
      this.#all.value = [...kept, ...data.filter(({ id }) => !known.has(id))]
      this.hasMore.value = has_more
      this.state.value = 'loaded'
    } catch (error) {
      if (after === null) this.state.value = 'failed'
      this.#onFailure(error)
    }
  }
}

/** A title from what was asked: one line, cut at a word. */
export function titleOf(question: string): string {
  const line = question.replace(/\s+/g, ' ').trim()
  if (line.length <= TITLE_LENGTH) return line
  const cut = line.slice(0, TITLE_LENGTH)
  const word = cut.lastIndexOf(' ')
  return `${cut.slice(0, word > TITLE_LENGTH / 2 ? word : TITLE_LENGTH).toWellFormed()}…`
}

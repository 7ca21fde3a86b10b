/** What the server finds for the words that are being typed. Asks when the typing pauses; only the newest answer counts. */
import { effect, signal } from '@preact/signals'
import type { Conversation } from '../transport/answers.ts'
import type { ConversationsApi } from '../transport/conversations.ts'

const PAGE = 50
const PAUSE_MS = 150
/** As the server has it. */
export const LONGEST_SEARCH = 200

export class ConversationSearch {
  readonly query = signal('')
  /** Null when nothing is searched for, or nothing has been answered yet. */
  readonly found = signal<readonly Conversation[] | null>(null)
  readonly hasMore = signal(false)
  readonly state = signal<'idle' | 'searching' | 'failed'>('idle')
  readonly #api: ConversationsApi
  readonly #onFailure: (error: unknown) => void
  #latest = 0

  constructor(api: ConversationsApi, onFailure: (error: unknown) => void) {
    this.#api = api
    this.#onFailure = onFailure
    effect(() => {
      const words = this.query.value.trim()
      const asked = ++this.#latest
      if (words === '') {
        this.found.value = null
        this.hasMore.value = false
        this.state.value = 'idle'
        return
      }
      this.state.value = 'searching'
      const timer = setTimeout(() => void this.#ask(words, asked, null), PAUSE_MS)
      return () => clearTimeout(timer)
    })
  }

  get words(): readonly string[] {
    return this.query.value.trim().toLowerCase().split(/\s+/).filter(Boolean)
  }

  async loadMore(): Promise<void> {
    const last = this.found.value?.at(-1)
    if (last) await this.#ask(this.query.value.trim(), this.#latest, last.id)
  }

  /** Asks the same again. */
  async again(): Promise<void> {
    const words = this.query.value.trim()
    if (words !== '') await this.#ask(words, ++this.#latest, null)
  }

  /** Takes up a change to what was found; null: it is gone. */
  change(id: string, conversation: Conversation | null): void {
    const { value: found } = this.found
    if (!found) return
    this.found.value = found.flatMap((old) =>
      old.id !== id ? [old] : conversation ? [{ ...old, ...conversation }] : [],
    )
  }

  async #ask(words: string, asked: number, after: string | null): Promise<void> {
    try {
      const { data, has_more } = await this.#api.list(after, PAGE, words)
      if (asked !== this.#latest) return
      this.found.value = after === null ? data : [...(this.found.value ?? []), ...data]
      this.hasMore.value = has_more
      this.state.value = 'idle'
    } catch (error) {
      if (asked === this.#latest) this.state.value = 'failed'
      this.#onFailure(error)
    }
  }
}

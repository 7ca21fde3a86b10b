/** What can be done with the conversation that is open, beside talking. */
import { signal } from '@preact/signals'
import type { ConversationsApi } from '../transport/conversations.ts'
import { RequestFailure } from '../transport/failure.ts'
import type { Address } from './address.ts'
import type { ChatSession } from './chat-session.ts'
import type { ConversationList } from './conversation-list.ts'
import { readTurns } from './stored-turns.ts'
import type { Turn } from './turn.ts'

export interface ConversationActionsOptions {
  readonly conversations: ConversationsApi
  readonly list: ConversationList
  readonly address: Address
  readonly onFailure: (error: unknown) => void
}

interface Sought {
  readonly conversationId: string
  readonly itemId: string
}

export class ConversationActions {
  /** The message to bring into view, and to where the keyboard is led, once it is there. */
  readonly sought = signal<Sought | null>(null)
  /** What the last of these could not do. */
  readonly failure = signal<RequestFailure | null>(null)
  readonly #options: ConversationActionsOptions

  constructor(options: ConversationActionsOptions) {
    this.#options = options
  }

  /** Opens a new conversation that has this one's messages up to `turn`. */
  async branch(session: ChatSession, turn: Turn): Promise<void> {
    const { conversations, list, address } = this.#options
    const id = session.id.value
    const itemId = turn.itemId.value
    if (id === null || itemId === null) return
    await this.#attempt(async () => {
      const branch = await conversations.branch(id, itemId)
      list.raise(branch)
      address.open(branch.id)
    })
  }

  async showVersion(session: ChatSession, itemId: string): Promise<void> {
    const { conversations } = this.#options
    const id = session.id.value
    if (id === null || session.busy.value) return
    await this.#attempt(async () => {
      await conversations.showVersion(id, itemId)
      session.turns.value = await readTurns(conversations, id, session.turns.value)
      this.sought.value = { conversationId: id, itemId }
    })
  }

  /** Opens what a search found, at the message in which it was found. */
  openFound(conversationId: string, itemId: string): void {
    this.sought.value = { conversationId, itemId }
    this.#options.address.open(conversationId)
  }

  /** Leads the conversation through the message that is sought, if it shows another version. */
  async reach(session: ChatSession): Promise<void> {
    const itemId = this.sought.value?.itemId
    if (itemId === undefined || session.turns.value.some((turn) => turn.itemId.value === itemId)) return
    await this.showVersion(session, itemId)
    // It may have been deleted meanwhile.
    if (!session.turns.value.some((turn) => turn.itemId.value === itemId)) this.sought.value = null
  }

  async #attempt(body: () => Promise<void>): Promise<void> {
    this.failure.value = null
    try {
      await body()
    } catch (error) {
      this.failure.value = RequestFailure.from(error)
      this.#options.onFailure(error)
    }
  }
}

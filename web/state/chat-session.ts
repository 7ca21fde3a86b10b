/**
 * One conversation, open: its messages, and the answer that may be streaming. What is asked is stored before it is
 * answered, and the answer when it ends, however it ends.
 */
import { batch, computed, signal } from '@preact/signals'
import { SentenceReader } from '../markdown/sentences.ts'
import { text } from '../text.ts'
import type { Conversation } from '../transport/answers.ts'
import { type AnswerEvent, type ChatQuestion, streamAnswer } from '../transport/chat.ts'
import type { ConversationsApi } from '../transport/conversations.ts'
import { RequestFailure } from '../transport/failure.ts'
import type { Http } from '../transport/http.ts'
import { titleOf } from './conversation-list.ts'
import { readTurns, storeTurn, versionsBeside } from './stored-turns.ts'
import { newTurn, type Turn } from './turn.ts'

export interface ChatSessionOptions {
  readonly http: Http
  readonly conversations: ConversationsApi
  /** Model, instructions and sampling, as they are set now. */
  readonly question: () => Omit<ChatQuestion, 'messages'> & { readonly system: string }
  readonly onCreated: (session: ChatSession, conversation: Conversation) => void
  readonly onActivity: (id: string) => void
  readonly onFailure: (error: unknown) => void
  /** Calls back once before the next frame. */
  readonly nextFrame: (callback: () => void) => void
}

export class ChatSession {
  readonly id = signal<string | null>(null)
  readonly turns = signal<readonly Turn[]>([])
  readonly state = signal<'ready' | 'loading' | 'missing' | 'failed'>('ready')
  /** What a screen reader is to say next. */
  readonly announcement = signal('')
  readonly busy = computed(() => this.#answering.value !== null)
  readonly #answering = signal<AbortController | null>(null)
  readonly #options: ChatSessionOptions

  constructor(options: ChatSessionOptions) {
    this.#options = options
  }

  async load(id: string): Promise<void> {
    this.id.value = id
    this.state.value = 'loading'
    try {
      const turns = await readTurns(this.#options.conversations, id, [])
      batch(() => {
        this.turns.value = turns
        this.state.value = 'ready'
      })
    } catch (error) {
      this.state.value = RequestFailure.from(error).status === 404 ? 'missing' : 'failed'
      this.#options.onFailure(error)
    }
  }

  async send(question: string, versions: readonly string[] = []): Promise<void> {
    if (this.busy.value || question.trim() === '') return
    this.turns.value = [...this.turns.value, newTurn('user', question, 'completed', versions)]
    await this.#answer()
  }

  stop(): void {
    this.#answering.value?.abort()
  }

  /** Asks a question again, beside the answer that it had; that one stays as an earlier version. */
  async retry(answer = this.turns.value.at(-1)): Promise<void> {
    if (this.busy.value || !answer) return
    if (answer.role === 'assistant') this.#leaveFrom(answer)
    if (this.turns.value.at(-1)?.role === 'user') {
      await this.#answer(answer.role === 'assistant' ? versionsBeside(answer) : [])
    }
  }

  /** Asks another question in the place of one; that one, and all that came after it, stays as an earlier version. */
  async edit(turn: Turn, question: string): Promise<void> {
    if (this.busy.value || question.trim() === '') return
    this.#leaveFrom(turn)
    await this.send(question, versionsBeside(turn))
  }

  #leaveFrom(turn: Turn): void {
    const at = this.turns.value.indexOf(turn)
    if (at >= 0) this.turns.value = this.turns.value.slice(0, at)
  }

  async #answer(versions: readonly string[] = []): Promise<void> {
    const stop = new AbortController()
    const turn = newTurn('assistant', '', 'streaming', versions)
    const asked = this.turns.value
    batch(() => {
      this.#answering.value = stop
      this.turns.value = [...asked, turn]
    })
    try {
      await this.#store(asked)
      await this.#stream(turn, asked, stop.signal)
    } catch (error) {
      if (stop.signal.aborted) {
        turn.status.value = 'incomplete'
        this.announcement.value = text.live.stopped
      } else {
        batch(() => {
          turn.status.value = 'failed'
          turn.failure.value = RequestFailure.from(error)
        })
        this.announcement.value = text.live.failed
        this.#options.onFailure(error)
      }
    } finally {
      this.#answering.value = null
      await this.#keep(turn)
    }
  }

  /** Makes sure that the server has the conversation and all that was asked in it. */
  async #store(turns: readonly Turn[]): Promise<void> {
    const { conversations, onCreated, onActivity } = this.#options
    if (this.id.value === null) {
      const conversation = await conversations.create(titleOf(turns[0]?.text.value ?? ''))
      this.id.value = conversation.id
      onCreated(this, conversation)
    }
    for (const turn of turns) {
      if (turn.itemId.value === null && turn.role === 'user') {
        await storeTurn(conversations, this.id.value, turns, turn)
      }
    }
    onActivity(this.id.value)
  }

  async #stream(turn: Turn, asked: readonly Turn[], signal: AbortSignal): Promise<void> {
    const { http, question } = this.#options
    const { system, ...rest } = question()
    const instructions = system.trim() === '' ? [] : [{ role: 'system' as const, content: system }]
    const said = asked
      .filter((old) => old.text.value !== '')
      .map((old) => ({ role: old.role, content: old.text.value }))
    const sink = new AnswerSink(turn, this.#options.nextFrame, (sentences) => {
      this.announcement.value = sentences
    })
    try {
      for await (const event of streamAnswer(http, { ...rest, messages: [...instructions, ...said] }, signal))
        sink.take(event)
      turn.status.value = 'completed'
    } finally {
      sink.end()
    }
  }

  /** Stores what there is of an answer. Its failure is shown with it. */
  async #keep(turn: Turn): Promise<void> {
    const id = this.id.value
    if (id === null || turn.text.value === '' || !this.turns.value.includes(turn)) return
    try {
      await storeTurn(this.#options.conversations, id, this.turns.value, turn)
    } catch (error) {
      turn.unsaved.value = true
      this.#options.onFailure(error)
    }
  }
}

/** Gathers what streams in and shows it once a frame; says whole sentences. */
class AnswerSink {
  readonly #turn: Turn
  readonly #nextFrame: (callback: () => void) => void
  readonly #say: (sentences: string) => void
  readonly #reader = new SentenceReader()
  readonly #askedAt = performance.now()
  #received = ''
  #due = false

  constructor(turn: Turn, nextFrame: (callback: () => void) => void, say: (sentences: string) => void) {
    this.#turn = turn
    this.#nextFrame = nextFrame
    this.#say = say
  }

  take(event: AnswerEvent): void {
    const facts = this.#turn.facts.value ?? {
      servedBy: null,
      tokensPerSecond: null,
      promptPerSecond: null,
      firstTokenMs: null,
      cutAtLimit: false,
    }
    if (event.type === 'answer-start') this.#turn.facts.value = { ...facts, servedBy: event.servedBy }
    if (event.type === 'answer-finish') {
      const { tokensPerSecond, promptPerSecond, finishReason } = event
      this.#turn.facts.value = { ...facts, tokensPerSecond, promptPerSecond, cutAtLimit: finishReason === 'length' }
    }
    if (event.type !== 'text-delta') return
    if (this.#received === '') this.#turn.facts.value = { ...facts, firstTokenMs: performance.now() - this.#askedAt }
    this.#received += event.text
    if (this.#due) return
    this.#due = true
    this.#nextFrame(() => this.#show())
  }

  end(): void {
    this.#show()
    const rest = this.#reader.rest(this.#received)
    if (rest.length > 0) this.#say(rest.join(' '))
  }

  #show(): void {
    this.#due = false
    this.#turn.text.value = this.#received
    const sentences = this.#reader.next(this.#received)
    if (sentences.length > 0) this.#say(sentences.join(' '))
  }
}

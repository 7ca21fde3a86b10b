/**
 * One conversation, open: its messages, and the answer that may be streaming. What is asked is stored before it is
 * answered; the answer is the server's, which goes on with it whoever reads, and keeps it.
 */
import { batch, computed, signal } from '@preact/signals'
import { SentenceReader } from '../markdown/sentences.ts'
import { text } from '../text.ts'
import type { Conversation } from '../transport/answers.ts'
import type { ConversationsApi } from '../transport/conversations.ts'
import { RequestFailure } from '../transport/failure.ts'
import type { Http } from '../transport/http.ts'
import { type AnswerEvent, askForAnswer, type Question, readAnswer, stopAnswer } from '../transport/responses.ts'
import { titleOf } from './conversation-list.ts'
import { readTurns, storeTurn, versionsBeside } from './stored-turns.ts'
import { NO_FACTS, newTurn, type Turn, type TurnFacts } from './turn.ts'

export interface ChatSessionOptions {
  readonly http: Http
  readonly conversations: ConversationsApi
  /** Model, instructions and sampling, as they are set now. */
  readonly question: () => Promise<Omit<Question, 'conversation' | 'previousItem'>>
  readonly onCreated: (session: ChatSession, conversation: Conversation) => void
  readonly onActivity: (id: string) => void
  /** Called when an answer begins or ends here, so that other tabs look. */
  readonly onAnswer: (id: string) => void
  readonly onFailure: (error: unknown) => void
  /** Calls back once before the next frame. */
  readonly nextFrame: (callback: () => void) => void
}

/** An answer that is being read. */
interface Answering {
  readonly turn: Turn
  /** Null until the server has named it. */
  responseId: string | null
  /** Asked for before the server had named it. */
  stop: boolean
}

export class ChatSession {
  readonly id = signal<string | null>(null)
  readonly turns = signal<readonly Turn[]>([])
  readonly state = signal<'ready' | 'loading' | 'missing' | 'failed'>('ready')
  /** What a screen reader is to say next. */
  readonly announcement = signal('')
  readonly busy = computed(() => this.#answering.value !== null)
  readonly #answering = signal<Answering | null>(null)
  readonly #options: ChatSessionOptions

  constructor(options: ChatSessionOptions) {
    this.#options = options
  }

  async load(id: string): Promise<void> {
    this.id.value = id
    this.state.value = 'loading'
    try {
      await this.#read(id)
      this.state.value = 'ready'
    } catch (error) {
      this.state.value = RequestFailure.from(error).status === 404 ? 'missing' : 'failed'
      this.#options.onFailure(error)
    }
  }

  /** Shows what has come to the conversation from elsewhere. */
  async refresh(): Promise<void> {
    const id = this.id.value
    if (id === null || this.busy.value || this.state.value !== 'ready') return
    await this.#read(id).catch(this.#options.onFailure)
  }

  /** Reads what is there, and follows the answer that is being written. */
  async #read(id: string): Promise<void> {
    const { turns, active } = await this.#seen(id)
    if (this.busy.value) return
    this.turns.value = turns
    if (active) void this.#follow(newTurn('assistant', '', 'streaming'), active)
  }

  /** The messages of one moment: an answer that ends while they are read is among them or is being written, not both. */
  async #seen(id: string): Promise<{ turns: readonly Turn[]; active: string | undefined }> {
    const { conversations } = this.#options
    const beingWritten = async () => (await conversations.read(id)).active_response_id
    for (;;) {
      const active = await beingWritten()
      const turns = await readTurns(conversations, id, this.turns.value)
      if (active === undefined || (await beingWritten()) === active) return { turns, active }
    }
  }

  async send(question: string, versions: readonly string[] = []): Promise<void> {
    if (this.busy.value || question.trim() === '') return
    this.turns.value = [...this.turns.value, newTurn('user', question, 'completed', versions)]
    await this.#answer()
  }

  /** Stops the answer, wherever it is read. */
  stop(): void {
    const answering = this.#answering.value
    if (!answering) return
    if (answering.responseId === null) answering.stop = true
    else void stopAnswer(this.#options.http, answering.responseId).catch(this.#options.onFailure)
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
    await this.#follow(newTurn('assistant', '', 'streaming', versions), null)
  }

  /** @param responseId of an answer that is being written; null to ask for one */
  async #follow(turn: Turn, responseId: string | null): Promise<void> {
    const asked = this.turns.value
    const answering: Answering = { turn, responseId, stop: false }
    batch(() => {
      this.#answering.value = answering
      this.turns.value = [...asked, turn]
    })
    try {
      if (responseId === null) await this.#store(asked)
      await this.#stream(answering, asked)
      if (turn.status.value === 'incomplete') this.announcement.value = text.live.stopped
    } catch (error) {
      batch(() => {
        turn.status.value = 'failed'
        turn.failure.value = RequestFailure.from(error)
      })
      this.announcement.value = text.live.failed
      this.#options.onFailure(error)
    } finally {
      this.#answering.value = null
      if (responseId === null && this.id.value !== null) this.#options.onAnswer(this.id.value)
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

  async #stream(answering: Answering, asked: readonly Turn[]): Promise<void> {
    const { http, question, onAnswer, nextFrame } = this.#options
    const { turn, responseId } = answering
    const conversation = this.id.value ?? ''
    const previousItem = asked.findLast(({ itemId }) => itemId.value !== null)?.itemId.value ?? 'root'
    const events =
      responseId === null
        ? askForAnswer(http, { ...(await question()), conversation, previousItem })
        : readAnswer(http, responseId)
    const sink = new AnswerSink(turn, nextFrame, (sentences) => {
      this.announcement.value = sentences
    })
    try {
      for await (const event of events) {
        if (event.type === 'answer-start' && responseId === null) {
          answering.responseId = event.responseId
          onAnswer(conversation)
          if (answering.stop) this.stop()
        }
        sink.take(event)
      }
    } finally {
      sink.end()
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
    const facts = this.#turn.facts.value ?? NO_FACTS
    if (event.type === 'answer-start') this.#turn.facts.value = { ...facts, servedBy: event.servedBy }
    if (event.type === 'line') this.#turn.lineBroken.value = event.broken
    if (event.type === 'answer-finish') this.#finish(event, facts)
    if (event.type !== 'text-delta') return
    if (this.#received === '') this.#turn.facts.value = { ...facts, firstTokenMs: performance.now() - this.#askedAt }
    this.#received += event.text
    if (this.#due) return
    this.#due = true
    this.#nextFrame(() => this.#show())
  }

  #finish(event: Extract<AnswerEvent, { type: 'answer-finish' }>, facts: TurnFacts): void {
    const { tokensPerSecond, promptPerSecond, cutAtLimit, status, itemId } = event
    const { versions } = this.#turn
    batch(() => {
      this.#turn.facts.value = { ...facts, tokensPerSecond, promptPerSecond, cutAtLimit }
      this.#turn.status.value = status === 'cancelled' ? 'incomplete' : 'completed'
      this.#turn.itemId.value = itemId
      if (itemId !== null && versions.value.length > 0) versions.value = [...versions.value, itemId]
    })
  }

  end(): void {
    this.#turn.lineBroken.value = false
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

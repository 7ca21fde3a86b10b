/** One message of a conversation. What changes while it streams is in signals, so that nothing else is rendered. */
import { type Signal, signal } from '@preact/signals'
import { type Item, isCutAtLimit } from '../transport/answers.ts'
import type { TurnRole } from '../transport/conversations.ts'
import type { RequestFailure } from '../transport/failure.ts'

export type TurnStatus = 'streaming' | 'completed' | 'incomplete' | 'failed'

export interface TurnFacts {
  servedBy: string | null
  tokensPerSecond: number | null
  promptPerSecond: number | null
  firstTokenMs: number | null
  cutAtLimit: boolean
}

export interface Turn {
  /** Stays the same while the page is open. */
  readonly key: string
  readonly role: TurnRole
  /** The server's name for it; null until it is stored. */
  readonly itemId: Signal<string | null>
  /** The server's names for all its versions, by age; empty when there is but one. */
  readonly versions: Signal<readonly string[]>
  readonly text: Signal<string>
  readonly status: Signal<TurnStatus>
  readonly failure: Signal<RequestFailure | null>
  readonly facts: Signal<TurnFacts | null>
  /** Whether the line to the server is broken, and being mended. */
  readonly lineBroken: Signal<boolean>
}

export const NO_FACTS: TurnFacts = {
  servedBy: null,
  tokensPerSecond: null,
  promptPerSecond: null,
  firstTokenMs: null,
  cutAtLimit: false,
}

let made = 0

/** `versions` names those that it stands beside. */
export function newTurn(role: TurnRole, text: string, status: TurnStatus, versions: readonly string[] = []): Turn {
  made++
  return {
    key: `turn-${made}`,
    role,
    itemId: signal<string | null>(null),
    versions: signal(versions),
    text: signal(text),
    status: signal(status),
    failure: signal<RequestFailure | null>(null),
    facts: signal<TurnFacts | null>(null),
    lineBroken: signal(false),
  }
}

export function storedTurn(item: Item): Turn {
  const { id, role, status, content, versions } = item
  const text = content.map((part) => part.text).join('')
  const cutAtLimit = isCutAtLimit(item)
  const turn = newTurn(
    role === 'assistant' ? 'assistant' : 'user',
    text,
    status === 'incomplete' && !cutAtLimit ? 'incomplete' : 'completed',
    versions,
  )
  if (cutAtLimit) turn.facts.value = { ...NO_FACTS, cutAtLimit }
  turn.itemId.value = id
  return turn
}

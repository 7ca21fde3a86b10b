/** The messages of a conversation as the server keeps them, and how a new one takes its place among them. */
import type { ConversationsApi } from '../transport/conversations.ts'
import { storedTurn, type Turn } from './turn.ts'

const PAGE = 100

/** All messages that the conversation shows; those of `known` are taken up as they are. */
export async function readTurns(api: ConversationsApi, id: string, known: readonly Turn[]): Promise<Turn[]> {
  const byItem = new Map(known.map((turn) => [turn.itemId.value, turn]))
  const turns: Turn[] = []
  for (let after: string | null = null; ; ) {
    const page = await api.items(id, after, PAGE)
    for (const item of page.data) {
      // Calls of functions, and what they gave, are not shown here.
      if (item.type !== 'message') continue
      const turn = byItem.get(item.id) ?? storedTurn(item)
      turn.versions.value = item.versions ?? []
      turns.push(turn)
    }
    after = page.last_id
    if (!page.has_more) return turns
  }
}

/** Stores a message after the last one before it that is stored, and notes its name. */
export async function storeTurn(api: ConversationsApi, id: string, turns: readonly Turn[], turn: Turn): Promise<void> {
  const before = turns.slice(0, turns.indexOf(turn)).findLast(({ itemId }) => itemId.value !== null)
  const status = turn.status.value === 'completed' ? 'completed' : 'incomplete'
  const item = { role: turn.role, text: turn.text.value, status } as const
  const stored = await api.addItem(id, item, before?.itemId.value ?? 'root')
  turn.itemId.value = stored.id
  if (turn.versions.value.length > 0) turn.versions.value = [...turn.versions.value, stored.id]
}

/** What a message that takes the place of this one stands beside. */
export function versionsBeside({ versions, itemId }: Turn): readonly string[] {
  if (versions.value.length > 0) return versions.value
  return itemId.value === null ? [] : [itemId.value]
}

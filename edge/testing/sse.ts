/** Server-sent events of an answer. */
import { createParser } from 'eventsource-parser'

/** The value of each `data:`, in order. */
export function dataOf(body: string): string[] {
  const data: string[] = []
  createParser({ onEvent: (event) => data.push(event.data) }).feed(body)
  return data
}

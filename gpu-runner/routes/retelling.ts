/**
 * Events of an answer that may be taken up again: they bear their tokens, and those heard before are not said twice. In
 * any other answer only those bear them that are not of one token, so that whoever hears them can count.
 */
import type { GenerationEvent, GenerationRequest } from '#protocol/generation.ts'

const bearsTokens = (event: GenerationEvent) =>
  event.type === 'text-delta' || event.type === 'tool-call-start' || event.type === 'tool-call-delta'

export class Retelling {
  readonly #resumable: boolean
  /** Events still to be left out. */
  #heard: number
  /** Tokens that no event has borne yet. */
  #ids: number[] = []

  constructor(resume: GenerationRequest['resume']) {
    this.#resumable = resume !== undefined
    this.#heard = resume?.events ?? 0
  }

  /** @param ids tokens that these events come of */
  *tell(events: Iterable<GenerationEvent>, ids: readonly number[]): Iterable<GenerationEvent> {
    this.#ids.push(...ids)
    for (const event of events) {
      if (event.type === 'generation-start') {
        yield event
        continue
      }
      const borne = this.#ids.splice(0)
      if (this.#heard > 0) this.#heard--
      else if (bearsTokens(event) && (this.#resumable || borne.length !== 1)) yield { ...event, ids: borne }
      else yield event
    }
  }
}

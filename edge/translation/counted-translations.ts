/** Asks runners for translations, and adds up what those take of each model. */
import type { Used } from '../accounts/settle-answer.ts'
import type { Runners } from '../runners/runners.ts'
import type { Pair } from './pairs.ts'
import type { AskModel } from './translate-pieces.ts'

export class CountedTranslations {
  readonly #runners: Pick<Runners, 'translate'>
  readonly #options: { readonly beam: number; readonly alternatives: number }
  readonly #signal: AbortSignal
  readonly #used = new Map<string, { tokens: number; produced: number }>()

  /** @param signal stops the work */
  constructor(
    runners: Pick<Runners, 'translate'>,
    options: { readonly beam: number; readonly alternatives: number },
    signal: AbortSignal,
  ) {
    this.#runners = runners
    this.#options = options
    this.#signal = signal
  }

  get used(): Used[] {
    return [...this.#used].map(([model, sum]) => ({ model, ...sum }))
  }

  by({ model, published }: Pair): AskModel {
    return async (texts) => {
      const request = { model, texts, ...this.#options, ...(published && { published }) }
      const { translations } = await this.#runners.translate(request, this.#signal)
      const sum = this.#used.get(model) ?? { tokens: 0, produced: 0 }
      for (const { read, tokens } of translations) {
        sum.tokens += read
        sum.produced += tokens
      }
      this.#used.set(model, sum)
      return translations
    }
  }
}

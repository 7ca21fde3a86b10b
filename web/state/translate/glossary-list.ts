/** The owner's glossaries for a pair of languages. A deletion can be undone for ten seconds. */
import { computed, type ReadonlySignal, signal } from '@preact/signals'
import { GlossariesApi, type Glossary, type LanguagePair, type Term } from '../../transport/glossaries.ts'
import type { Http } from '../../transport/http.ts'
import { UNDO_MS } from '../conversation-list.ts'
import { Task } from '../task.ts'

export interface GlossaryRemoval {
  readonly glossary: Glossary
  readonly pair: LanguagePair
  readonly timer: ReturnType<typeof setTimeout>
}

const isFor = ({ dictionaries }: Glossary, { source, target }: LanguagePair): boolean =>
  dictionaries.some((one) => one.source_lang === source && one.target_lang === target)

export class GlossaryList {
  readonly #all = signal<readonly Glossary[]>([])
  /** What can be translated, and so have a glossary. */
  readonly pairs = signal<readonly LanguagePair[]>([])
  readonly removal = signal<GlossaryRemoval | null>(null)
  /** Whether it is known which there are. */
  readonly loaded = signal(false)
  readonly loading = new Task()
  /** Writing one, or reading its terms. */
  readonly work = new Task()
  readonly there: ReadonlySignal<readonly Glossary[]> = computed(() =>
    this.#all.value.filter(({ glossary_id }) => glossary_id !== this.removal.value?.glossary.glossary_id),
  )
  readonly #api: GlossariesApi

  constructor(http: Http) {
    this.#api = new GlossariesApi(http)
  }

  has(id: string): boolean {
    return this.there.value.some(({ glossary_id }) => glossary_id === id)
  }

  /** Those for a pair; of a source that is not known yet, those for any into the target. */
  for(source: string | null, target: string | null): readonly Glossary[] {
    if (target === null) return []
    const sources = source === null ? this.pairs.value.map((pair) => pair.source) : [source]
    return this.there.value.filter((one) => sources.some((from) => isFor(one, { source: from, target })))
  }

  /** The pair of one that is into a target. */
  sourceOf({ dictionaries }: Glossary, target: string): string | null {
    return dictionaries.find(({ target_lang }) => target_lang === target)?.source_lang ?? null
  }

  async load(): Promise<void> {
    await this.loading.run(async (signal) => {
      const [all, pairs] = await Promise.all([this.#api.list(signal), this.#api.pairs(signal)])
      this.#all.value = all
      this.pairs.value = pairs
      this.loaded.value = true
    })
  }

  /** @returns undefined if it fails; `work` says why */
  async read({ glossary_id }: Glossary, pair: LanguagePair): Promise<readonly Term[] | undefined> {
    let terms: readonly Term[] | undefined
    await this.work.run(async (signal) => {
      terms = await this.#api.read(glossary_id, pair, signal)
    })
    return terms
  }

  /**
   * @param glossary null: a new one
   * @returns its id; undefined if it fails, and `work` says why
   */
  async write(
    glossary: Glossary | null,
    name: string,
    pair: LanguagePair,
    terms: readonly Term[],
  ): Promise<string | undefined> {
    let id = glossary?.glossary_id
    const written = await this.work.run(async (signal) => {
      if (glossary) await this.#api.change(glossary, name, pair, terms, signal)
      else id = await this.#api.make(name, pair, terms, signal)
      this.#all.value = await this.#api.list(signal)
    })
    return written ? id : undefined
  }

  /** Hides it at once, and deletes it when the time to undo is over. */
  remove(glossary: Glossary, pair: LanguagePair): void {
    this.flush()
    this.removal.value = { glossary, pair, timer: setTimeout(() => this.flush(), UNDO_MS) }
  }

  undo(): void {
    clearTimeout(this.removal.value?.timer)
    this.removal.value = null
  }

  /** Carries out what could still be undone. @param leaving the page is being closed */
  flush(leaving = false): void {
    const removal = this.removal.value
    if (!removal) return
    const { glossary, pair } = removal
    clearTimeout(removal.timer)
    this.#all.value = this.#all.value.filter((one) => one !== glossary)
    this.removal.value = null
    void this.loading.run(async (signal) => {
      await this.#api.remove(glossary, pair, leaving)
      this.#all.value = await this.#api.list(signal)
    })
  }
}

/** Which languages can be translated into which, asked for again until there are some. */
import { batch, computed, effect, type ReadonlySignal, signal } from '@preact/signals'
import type { Language, TranslationApi, TranslationModel } from '../../transport/translation.ts'
import { RequestFailure } from '../../transport/failure.ts'
import type { ServerState } from '../server-state.ts'
import { Task } from '../task.ts'

const AGAIN_MS = { first: 2_000, longest: 15_000 }
const NAMES = new Intl.DisplayNames('en', { type: 'language' })

export class Languages {
  /** Null until they are known. */
  readonly all = signal<readonly Language[] | null>(null)
  readonly models = signal<readonly TranslationModel[]>([])
  readonly loading = new Task()
  /** No model translates anything, or no runner is there that would say. */
  readonly missing: ReadonlySignal<boolean> = computed(
    () => this.all.value?.length === 0 || this.loading.failure.value !== null,
  )
  readonly targets: ReadonlySignal<readonly string[]> = computed(() => [
    ...new Set(this.all.value?.flatMap(({ targets }) => targets) ?? []),
  ])
  readonly #api: TranslationApi
  #tries = 0

  constructor(api: TranslationApi, server: ServerState) {
    this.#api = api
    effect(() => {
      const failure = this.loading.failure.value
      const found = this.all.value
      if (server.signedIn.value !== true || (failure === null && found?.length !== 0)) return
      const asked = failure instanceof RequestFailure ? failure.retryAfter : undefined
      const wait = Math.max(1000 * (asked ?? 0), this.#wait())
      const timer = setTimeout(() => void this.load(), wait)
      return () => clearTimeout(timer)
    })
  }

  async load(): Promise<void> {
    this.#tries++
    const loaded = await this.loading.run(async (signal) => {
      const [all, models] = await Promise.all([this.#api.languages(signal), this.#api.models(signal)])
      batch(() => {
        this.all.value = all
        this.models.value = models
      })
    })
    if (loaded && !this.missing.peek()) this.#tries = 0
  }

  targetsOf(source: string | null): readonly string[] {
    return source === null ? this.targets.value : (this.all.value?.find(({ code }) => code === source)?.targets ?? [])
  }

  /** From a source, or any if it is not known yet. */
  modelsOf(source: string | null, target: string | null): readonly TranslationModel[] {
    return this.models.value.filter((one) => (source === null || one.source === source) && one.target === target)
  }

  nameOf(code: string): string {
    return this.all.value?.find((language) => language.code === code)?.name ?? NAMES.of(code) ?? code
  }

  #wait(): number {
    return Math.min(AGAIN_MS.longest, AGAIN_MS.first * 2 ** Math.min(this.#tries - 1, 5))
  }
}

/** Whether the server can answer, who is signed in, and which models there are. Comes back by itself. */
import { computed, type ReadonlySignal, signal } from '@preact/signals'
import type { AnyModel, Model } from '../transport/answers.ts'
import { RequestFailure } from '../transport/failure.ts'
import type { Health } from '../transport/health.ts'
import type { ServerApi } from '../transport/server.ts'

const CALM_MS = 15_000
const AWAY_MS = 1_500

export class ServerState {
  /** Null until it is known. */
  readonly signedIn = signal<boolean | null>(null)
  readonly allModels = signal<readonly AnyModel[]>([])
  /** Those that one can chat with. */
  readonly models: ReadonlySignal<readonly Model[]> = computed(() =>
    this.allModels.value.filter((model) => 'context_length' in model),
  )
  readonly health = signal<Health>({ status: 'ok' })
  readonly away: ReadonlySignal<boolean> = computed(() => this.health.value.status !== 'ok')
  /** Whether the edge answers, be there a runner or not. */
  readonly reachable: ReadonlySignal<boolean> = computed(() => this.health.value.status !== 'unreachable')
  readonly #api: ServerApi
  readonly #readHealth: () => Promise<Health>
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(api: ServerApi, readHealth: () => Promise<Health>) {
    this.#api = api
    this.#readHealth = readHealth
  }

  /** Signs in where that needs no key, and keeps watch from then on. */
  async start(): Promise<void> {
    try {
      this.signedIn.value = (await this.#api.signedIn()) || (await this.#api.signIn())
    } catch (error) {
      this.report(error)
    }
    await this.look()
  }

  /** @returns false when the key is not valid */
  async signIn(key: string): Promise<boolean> {
    const signedIn = await this.#api.signIn(key)
    if (signedIn) this.signedIn.value = true
    await this.look()
    return signedIn
  }

  async signOut(): Promise<void> {
    await this.#api.signOut()
    this.signedIn.value = false
  }

  /** Takes what a request found out: that the server is away is shown at once. */
  report(error: unknown): void {
    const failure = RequestFailure.from(error)
    if (failure.status === 401) this.signedIn.value = false
    // Some routes say so, too, of a session that is over.
    if (failure.status === 403) void this.#askWhetherSignedIn()
    if (failure.away) void this.look()
  }

  /** Asks how the server is, and when to ask again. */
  async look(): Promise<void> {
    clearTimeout(this.#timer)
    const health = await this.#readHealth()
    if (health.status !== this.health.value.status) this.health.value = health
    if (health.status !== 'unreachable') await this.#afterReached()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.look(), health.status === 'ok' ? CALM_MS : AWAY_MS)
  }

  async #askWhetherSignedIn(): Promise<void> {
    const signedIn = await this.#api.signedIn().catch(() => true)
    if (!signedIn) this.signedIn.value = false
  }

  async #afterReached(): Promise<void> {
    try {
      if (this.signedIn.value === null) this.signedIn.value = (await this.#api.signedIn()) || (await this.#api.signIn())
      if (this.signedIn.value && this.models.value.length === 0) this.allModels.value = await this.#api.models()
    } catch (error) {
      if (RequestFailure.from(error).status === 401) this.signedIn.value = false
    }
  }
}

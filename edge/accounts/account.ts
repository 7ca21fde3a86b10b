/** The Durable Object that counts what one key with limits does. */
import { DurableObject } from 'cloudflare:workers'
import type { KeyLimits } from '#protocol/keys.ts'
import type { Bindings } from '../env.ts'
import type { AccountObject, Verdict } from './account-object.ts'
import {
  type AccountState,
  admit,
  newAccount,
  renew,
  type Standing,
  settle,
  standing,
  type Told,
  tell,
} from './limits.ts'

const KEY = 'account'

export class Account extends DurableObject<Bindings> implements AccountObject {
  readonly #state: AccountState

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env)
    this.#state = ctx.storage.kv.get<AccountState>(KEY) ?? newAccount(Date.now())
  }

  async admit(limits: KeyLimits, id: string, tokens: number): Promise<Verdict> {
    const refused = admit(this.#state, limits, Date.now(), { id, tokens })
    this.#keep()
    return { refused: refused ?? null, standing: standing(this.#state, limits, Date.now()) }
  }

  async standing(limits: KeyLimits): Promise<Standing> {
    return standing(this.#state, limits, Date.now())
  }

  async renew(id: string): Promise<void> {
    renew(this.#state, Date.now(), id)
    this.#keep()
  }

  async settle(limits: KeyLimits, id: string, used: number): Promise<void> {
    settle(this.#state, limits, Date.now(), id, used)
    this.#keep()
  }

  async tell(limits: KeyLimits, told: readonly Told[]): Promise<void> {
    for (const one of told) tell(this.#state, limits, Date.now(), one)
    this.#keep()
  }

  #keep(): void {
    this.ctx.storage.kv.put(KEY, this.#state)
  }
}

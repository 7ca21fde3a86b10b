import { SCOPES, type Scope } from '#protocol/scopes.ts'
import { useState } from 'preact/hooks'
import { text } from '../text.ts'
import { type KeyLimits, type KeyRequest, LIMITS } from '../transport/keys.ts'

const DAY_SECONDS = 86_400
const LIFETIMES = [0, 30, 90, 365] as const

/** `onCreate` says whether a key was made; if not, what was typed stays. */
export function KeyForm({ onCreate }: { onCreate: (request: KeyRequest) => Promise<boolean> }) {
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<readonly Scope[]>(['chat', 'models'])
  const [days, setDays] = useState<number>(0)
  const [limits, setLimits] = useState<KeyLimits>({})
  const words = text.keys
  const create = async () => {
    const created = await onCreate({
      name: name.trim(),
      scopes,
      ...(days === 0 ? {} : { expires_at: Math.floor(Date.now() / 1000) + days * DAY_SECONDS }),
      ...(Object.keys(limits).length === 0 ? {} : { limits }),
    })
    if (!created) return
    setName('')
    setLimits({})
  }
  const setLimit = (limit: keyof KeyLimits, value: number) => {
    const { [limit]: _, ...others } = limits
    setLimits(Number.isInteger(value) && value >= 1 ? { ...others, [limit]: value } : others)
  }
  return (
    <form
      class="fields key-form"
      onSubmit={(event) => {
        event.preventDefault()
        void create()
      }}
    >
      <h2>{words.makeTitle}</h2>
      <label>
        <span>{words.name}</span>
        <input required maxLength={100} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <fieldset>
        <legend>{words.scopes}</legend>
        {SCOPES.map((scope) => (
          <label key={scope} class="check">
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={(event) =>
                setScopes(
                  SCOPES.filter((other) => (other === scope ? event.currentTarget.checked : scopes.includes(other))),
                )
              }
            />
            {scope}
          </label>
        ))}
      </fieldset>
      <label>
        <span>{words.expires}</span>
        <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
          {LIFETIMES.map((lifetime) => (
            <option key={lifetime} value={lifetime}>
              {lifetime === 0 ? words.never : words.inDays(lifetime)}
            </option>
          ))}
        </select>
      </label>
      <details>
        <summary>{words.limits}</summary>
        <div class="limits">
          {LIMITS.map((limit) => (
            <label key={limit}>
              <span>{words.limit[limit]}</span>
              <input
                type="number"
                min={1}
                value={limits[limit] ?? ''}
                onInput={(event) => setLimit(limit, event.currentTarget.valueAsNumber)}
              />
            </label>
          ))}
        </div>
        <small>{words.limitsHint}</small>
      </details>
      <div class="editor-actions">
        <button type="submit" class="filled" disabled={scopes.length === 0}>
          {words.make}
        </button>
      </div>
    </form>
  )
}

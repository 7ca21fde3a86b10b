import { text } from '../text.ts'
import type { ApiKey } from '../transport/keys.ts'
import { SecondPress } from './SecondPress.tsx'

/** Keys that hold, and those that no longer do. */
export function KeyTable({ keys, onRevoke }: { keys: readonly ApiKey[]; onRevoke: (key: ApiKey) => void }) {
  const words = text.keys
  if (keys.length === 0) return <p class="note">{words.none}</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls has to be reached by the keyboard
    <section class="table" tabIndex={0} aria-label={words.title}>
      <table>
        <thead>
          <tr>
            <th>{words.name}</th>
            <th>{words.scopes}</th>
            <th>{words.made}</th>
            <th>{words.expires}</th>
            <th aria-label={words.actions} />
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <Row key={key.id} apiKey={key} onRevoke={onRevoke} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Row({ apiKey, onRevoke }: { apiKey: ApiKey; onRevoke: (key: ApiKey) => void }) {
  const words = text.keys
  const { name, scopes, created_at, expires_at, revoked_at } = apiKey
  return (
    <tr>
      <td>{name}</td>
      <td>{scopes.includes('*') ? words.everyScope : scopes.join(', ')}</td>
      <td>{words.date(created_at)}</td>
      <td>{expires_at ? words.date(expires_at) : words.never}</td>
      <td>
        {revoked_at ? (
          words.revoked(revoked_at)
        ) : (
          <SecondPress label={words.revoke} really={words.reallyRevoke} of={name} onPress={() => onRevoke(apiKey)} />
        )}
      </td>
    </tr>
  )
}

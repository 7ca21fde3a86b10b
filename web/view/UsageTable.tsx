import { text } from '../text.ts'
import type { ApiKey, Usage } from '../transport/keys.ts'

/** What was used this month, by key and model, most first. */
export function UsageTable({ usage, keys }: { usage: readonly Usage[]; keys: readonly ApiKey[] }) {
  const words = text.keys
  if (usage.length === 0) return <p class="note">{words.noUsage}</p>
  const names = new Map(keys.map(({ id, name }) => [id, name]))
  const sorted = usage.toSorted((a, b) => b.inputTokens + b.outputTokens - a.inputTokens - a.outputTokens)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls has to be reached by the keyboard
    <section class="table" tabIndex={0} aria-label={words.usage}>
      <table class="numbers">
        <thead>
          <tr>
            <th>{words.key}</th>
            <th>{words.model}</th>
            <th>{words.requests}</th>
            <th>{words.inputTokens}</th>
            <th>{words.outputTokens}</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map(({ keyId, model, requests, inputTokens, outputTokens }) => (
            <tr key={`${keyId} ${model}`}>
              <td>{keyId === null ? words.noKey : (names.get(keyId) ?? keyId)}</td>
              <td>{model}</td>
              <td>{requests.toLocaleString()}</td>
              <td>{inputTokens.toLocaleString()}</td>
              <td>{outputTokens.toLocaleString()}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

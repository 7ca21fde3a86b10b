import { useState } from 'preact/hooks'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'

export function SignIn({ page }: { page: Page }) {
  const [key, setKey] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const signIn = async () => {
    try {
      setWrong((await page.server.signIn(key.trim())) ? null : text.signIn.wrong)
    } catch {
      setWrong(text.failure.network)
    }
  }
  return (
    <main class="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void signIn()
        }}
      >
        <h1>{text.signIn.title}</h1>
        <label>
          <span>{text.signIn.field}</span>
          <input
            type="password"
            autocomplete="current-password"
            required
            value={key}
            ref={(field) => field?.focus()}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <small>{text.signIn.hint}</small>
        {wrong && (
          <p class="failure" role="alert">
            {wrong}
          </p>
        )}
        <button type="submit" class="filled">
          {text.actions.signIn}
        </button>
      </form>
    </main>
  )
}

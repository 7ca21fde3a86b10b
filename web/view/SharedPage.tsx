import { useEffect, useState } from 'preact/hooks'
import { text } from '../text.ts'
import { isCutAtLimit } from '../transport/answers.ts'
import { RequestFailure } from '../transport/failure.ts'
import { Http } from '../transport/http.ts'
import { readShared, type Shared } from '../transport/shares.ts'
import { explain } from './explain.ts'
import { Markdown } from './Markdown.tsx'

/** Somebody's conversation, to read: no session, no settings, nothing of the reader's. */
export function SharedPage({ token }: { token: string }) {
  const [shared, setShared] = useState<Shared | RequestFailure | null>(null)
  useEffect(() => {
    const http = new Http({
      fetch: (path, init) => window.fetch(path, { ...init, credentials: 'omit' }),
      renew: async () => false,
    })
    readShared(http, token).then(setShared, (error: unknown) => setShared(RequestFailure.from(error)))
  }, [token])
  const words = text.shared
  useEffect(() => {
    const title = shared instanceof RequestFailure ? '' : shared?.title
    document.title = `${title || words.label} · ${text.product}`
  }, [shared])
  return (
    <main class="shared">
      <div class="column">
        {shared === null && <p class="note">{text.chat.loading} …</p>}
        {shared instanceof RequestFailure && (
          <p class="note" role="alert">
            {shared.status === 404 ? words.missing : explain(shared)}
          </p>
        )}
        {shared !== null && !(shared instanceof RequestFailure) && <Conversation shared={shared} />}
      </div>
    </main>
  )
}

function Conversation({ shared }: { shared: Shared }) {
  return (
    <>
      <header class="shared-head">
        <h1>{shared.title || text.list.untitled}</h1>
        <p class="note">{text.shared.sharedOn(new Date(shared.created_at * 1000))}</p>
      </header>
      {shared.data.map((message, i) => {
        const said = message.content.map((part) => part.text).join('')
        if (message.role === 'user') {
          return (
            <article key={i} class="turn question" aria-label={text.shared.asked}>
              <div class="bubble">{said}</div>
            </article>
          )
        }
        return (
          <article key={i} class="turn answer" aria-label={text.product}>
            <Markdown text={said} finished />
            {message.status === 'incomplete' && (
              <p class="end-note">{isCutAtLimit(message) ? text.chat.cutAtLimit : text.chat.stopped}</p>
            )}
          </article>
        )
      })}
    </>
  )
}

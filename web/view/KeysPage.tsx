import { useEffect, useMemo, useState } from 'preact/hooks'
import '../style/keys.css'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { RequestFailure } from '../transport/failure.ts'
import { type ApiKey, type KeyRequest, KeysApi, type NewApiKey, type Usage } from '../transport/keys.ts'
import { explain } from './explain.ts'
import { KeyForm } from './KeyForm.tsx'
import { KeyTable } from './KeyTable.tsx'
import { SecretField } from './SecretField.tsx'
import { UsageTable } from './UsageTable.tsx'

/** API keys: made, shown once, revoked; and what was used with them this month. */
export function KeysPage({ page }: { page: Page }) {
  const api = useMemo(() => new KeysApi(page.http), [page])
  const [keys, setKeys] = useState<readonly ApiKey[] | null>(null)
  const [usage, setUsage] = useState<readonly Usage[] | RequestFailure | null>(null)
  const [made, setMade] = useState<NewApiKey | null>(null)
  const [failure, setFailure] = useState<RequestFailure | null>(null)
  const words = text.keys
  useEffect(() => {
    api.list().then(setKeys, (error: unknown) => setFailure(RequestFailure.from(error)))
    api.usage(...thisMonth(new Date())).then(setUsage, (error: unknown) => setUsage(RequestFailure.from(error)))
  }, [api])
  /** True when it was done. */
  const attempt = async (body: () => Promise<void>): Promise<boolean> => {
    setFailure(null)
    try {
      await body()
      return true
    } catch (error) {
      setFailure(RequestFailure.from(error))
      return false
    }
  }
  const create = (request: KeyRequest) =>
    attempt(async () => {
      const key = await api.create(request)
      setMade(key)
      setKeys(await api.list())
    })
  const revoke = (key: ApiKey) =>
    attempt(async () => {
      await api.revoke(key.id)
      if (made?.id === key.id) setMade(null)
      setKeys(await api.list())
    })
  return (
    <div class="scroll">
      <section class="column keys" aria-label={words.title}>
        <h1>{words.title}</h1>
        {failure && (
          <p class="failure" role="alert">
            {missing(failure) ?? explain(failure)}
          </p>
        )}
        {keys && (
          <>
            <KeyTable keys={keys} onRevoke={(key) => void revoke(key)} />
            <KeyForm onCreate={create} />
            {made && <SecretField key={made.id} label={words.key} value={made.key} hint={words.once} />}
          </>
        )}
        <h2>{words.usage}</h2>
        {usage instanceof RequestFailure && <p class="note">{missing(usage) ?? explain(usage)}</p>}
        {usage !== null && !(usage instanceof RequestFailure) && <UsageTable usage={usage} keys={keys ?? []} />}
      </section>
    </div>
  )
}

/** What a refusal says about this server or this session, rather than about a request. */
function missing({ status, code }: RequestFailure): string | null {
  if (status === 404 || status === 405) return text.keys.notServed
  return code === 'insufficient_scope' ? text.keys.notAllowed : null
}

/** The first second of this month and the present one, in Unix seconds; months are UTC's, as the server's are. */
function thisMonth(now: Date): [number, number] {
  return [Date.UTC(now.getUTCFullYear(), now.getUTCMonth()) / 1000, Math.ceil(now.getTime() / 1000)]
}

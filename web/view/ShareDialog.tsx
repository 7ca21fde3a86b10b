import { useEffect, useState } from 'preact/hooks'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { RequestFailure } from '../transport/failure.ts'
import type { NewShare, Share } from '../transport/shares.ts'
import { Dialog } from './Dialog.tsx'
import { explain } from './explain.ts'
import { SecretField } from './SecretField.tsx'

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])$/

/** The links to the open conversation: make one, see how many there are, revoke them. */
export function ShareDialog({ page }: { page: Page }) {
  const id = page.current.value.id.value
  const [shares, setShares] = useState<readonly Share[] | null>(null)
  const [made, setMade] = useState<NewShare | null>(null)
  const [failure, setFailure] = useState<RequestFailure | null>(null)
  const words = text.share
  const attempt = async (body: () => Promise<void>) => {
    setFailure(null)
    try {
      await body()
    } catch (error) {
      setFailure(RequestFailure.from(error))
    }
  }
  useEffect(() => {
    if (id !== null) void attempt(async () => setShares(await page.shares.list(id)))
  }, [id])
  if (id === null) return null
  const make = () =>
    attempt(async () => {
      const share = await page.shares.create(id)
      setMade(share)
      setShares((before) => [share, ...(before ?? [])])
    })
  const revoke = (share: Share) =>
    attempt(async () => {
      await page.shares.revoke(id, share.id)
      setShares((before) => (before ?? []).filter((other) => other.id !== share.id))
      if (made?.id === share.id) setMade(null)
    })
  return (
    <Dialog title={words.title} onClose={() => (page.overlay.value = 'none')}>
      <div class="fields">
        <p>
          {words.what} {LOOPBACK.test(window.location.hostname) && words.onlyHere}
        </p>
        {made && <SecretField key={made.id} label={words.link} value={made.url} hint={words.once} />}
        {failure && (
          <p class="failure" role="alert">
            {explain(failure)}
          </p>
        )}
        <div class="editor-actions">
          <button type="button" class="filled" onClick={() => void make()}>
            {words.make}
          </button>
        </div>
        {shares && shares.length > 0 && (
          <ul class="plain-list" aria-label={words.links}>
            {shares.map((share) => (
              <li key={share.id}>
                <span>{words.madeOn(new Date(share.created_at * 1000))}</span>
                <button type="button" class="quiet" onClick={() => void revoke(share)}>
                  {words.revoke}
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Dialog>
  )
}

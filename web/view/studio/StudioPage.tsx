import { useEffect, useMemo } from 'preact/hooks'
import '../../style/studio.css'
import type { Page } from '../../state/page.ts'
import { PARTS, type Part, partPath, Studio } from '../../state/studio/studio.ts'
import { text as pageText } from '../../text.ts'
import { text } from '../../text-studio.ts'
import { Kept } from '../Kept.tsx'
import { lazily } from '../lazily.tsx'
import { followed } from '../links.ts'
import { FailureNote } from '../FailureNote.tsx'

const VIEWS = {
  generate: lazily(() => import('./Generate.tsx').then((part) => part.Generate)),
  explore: lazily(() => import('./Explore.tsx').then((part) => part.Explore)),
  map: lazily(() => import('./LatentMapPart.tsx').then((part) => part.LatentMapPart)),
  anomalies: lazily(() => import('./Anomalies.tsx').then((part) => part.Anomalies)),
  denoise: lazily(() => import('./Denoise.tsx').then((part) => part.Denoise)),
}

export interface PartProps {
  readonly page: Page
  readonly studio: Studio
  /** Whether it is what is looked at. */
  readonly active: boolean
}

/** Models that make, find and mend: each part has an address of its own. */
export function StudioPage({ page }: { page: Page }) {
  const studio = useMemo(() => new Studio(page.http), [page])
  const isOpen = page.address.section.value === 'studio'
  const isThere = page.server.signedIn.value === true && page.server.reachable.value
  useEffect(() => {
    if (isOpen && isThere) void studio.load()
  }, [studio, isOpen, isThere])
  const parts = studio.parts.value
  const asked = PARTS.find((part) => part === page.address.part.value)
  const shown = asked ?? parts[0] ?? null
  return (
    <>
      <header class="section-head">
        <h1>{pageText.nav.studio}</h1>
        <nav class="tabs" aria-label={text.parts.label}>
          {parts.map((part) => (
            <Tab key={part} page={page} part={part} current={part === shown} />
          ))}
        </nav>
      </header>
      {studio.models.value === null ? (
        <div class="section-note">
          {studio.loading.failure.value ? <FailureNote error={studio.loading.failure.value} /> : text.loading}
        </div>
      ) : (
        PARTS.map((part) => {
          const View = VIEWS[part]
          const isKnown = parts.includes(part)
          return (
            <Kept key={part} shown={part === shown}>
              {isKnown ? (
                <View page={page} studio={studio} active={isOpen && part === shown} />
              ) : (
                <p class="section-note">{text.noModel}</p>
              )}
            </Kept>
          )
        })
      )}
    </>
  )
}

function Tab({ page, part, current }: { page: Page; part: Part; current: boolean }) {
  const path = partPath(part)
  return (
    <a
      class="tab"
      href={path}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => followed(event, () => page.address.go(path))}
    >
      {text.parts[part]}
    </a>
  )
}

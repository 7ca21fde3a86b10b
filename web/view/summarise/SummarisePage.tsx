import { useEffect, useMemo } from 'preact/hooks'
import '../../style/studio.css'
import '../../style/panes.css'
import '../../style/summarise.css'
import type { Page } from '../../state/page.ts'
import { Summariser } from '../../state/summarise/summariser.ts'
import { text as pageText } from '../../text.ts'
import { useFiles } from '../use-files.ts'
import { useStop } from '../use-stop.ts'
import { Options } from './Options.tsx'
import { SummaryPane } from './SummaryPane.tsx'
import { TextPane } from './TextPane.tsx'

/** A text beside its summary, whose sentences lead to their places in the text. */
export function SummarisePage({ page }: { page: Page }) {
  const active = page.address.section.value === 'summarise'
  const summariser = useMemo(
    () => new Summariser({ http: page.http, server: page.server, storage: window.sessionStorage }),
    [page],
  )
  useEffect(() => {
    const leave = () => summariser.keep()
    window.addEventListener('pagehide', leave)
    return () => window.removeEventListener('pagehide', leave)
  }, [summariser])
  useStop(page, active, summariser)
  const open = (file: File) => void summariser.open(file)
  const dragging = useFiles(
    active,
    ([file]) => file && open(file),
    (pasted) => summariser.type(pasted),
  )
  return (
    <>
      <header class="section-head">
        <h1>{pageText.nav.summarise}</h1>
      </header>
      <div class={`scroll panes-scroll ${dragging ? 'dragging' : ''}`}>
        <section class="panes-column fitting" aria-label={pageText.nav.summarise}>
          <Options summariser={summariser} />
          <div class="panes">
            <TextPane summariser={summariser} active={active} onFile={open} />
            <SummaryPane summariser={summariser} />
          </div>
        </section>
      </div>
    </>
  )
}

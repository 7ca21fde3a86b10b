import { effect, untracked } from '@preact/signals'
import { useEffect, useMemo, useState } from 'preact/hooks'
import '../../style/studio.css'
import '../../style/panes.css'
import { sectionPath } from '../../state/address.ts'
import type { Page } from '../../state/page.ts'
import { GlossaryList } from '../../state/translate/glossary-list.ts'
import { TranslatedDocument } from '../../state/translate/translated-document.ts'
import { Translator } from '../../state/translate/translator.ts'
import { text as pageText } from '../../text.ts'
import { text } from '../../text-translate.ts'
import { useFiles } from '../use-files.ts'
import { useStop } from '../use-stop.ts'
import { DocumentStrip } from './DocumentStrip.tsx'
import { GlossaryBar } from './GlossaryBar.tsx'
import { GlossaryDialog } from './GlossaryDialog.tsx'
import { LanguageBar } from './LanguageBar.tsx'
import { SourcePane } from './SourcePane.tsx'
import { TargetPane } from './TargetPane.tsx'

/** A text beside its translation, and documents that are translated whole. */
export function TranslatePage({ page }: { page: Page }) {
  const active = page.address.section.value === 'translate'
  const { translator, glossaries, document } = useMemo(() => createStates(page), [page])
  const [managing, setManaging] = useState(false)
  const isThere = page.server.signedIn.value === true && page.server.reachable.value
  const query = page.address.query.value
  useEffect(() => {
    if (active) translator.follow(query)
  }, [translator, active, query])
  useEffect(() => {
    if (!active || !isThere) return
    void translator.languages.load()
    void glossaries.load()
    document.resume()
  }, [translator, active, isThere])
  useEffect(() => {
    const leave = () => {
      translator.keep()
      glossaries.flush(true)
    }
    window.addEventListener('pagehide', leave)
    return () => window.removeEventListener('pagehide', leave)
  }, [translator])
  useStop(page, active, translator)
  const sendDocument = (file: File) => {
    const [source, target, glossary, model] = [
      translator.source.value,
      translator.target.value,
      translator.glossary.value,
      translator.model.value,
    ]
    if (target === null) document.refuse(file.name, text.document.noTarget)
    else void document.begin({ file, source, target, glossary, model })
  }
  const dragging = useFiles(
    active,
    ([file]) => file && sendDocument(file),
    (pasted) => translator.change({ text: pasted }),
  )
  return (
    <>
      <header class="section-head">
        <h1>{pageText.nav.translate}</h1>
        <GlossaryBar translator={translator} glossaries={glossaries} onManage={() => setManaging(true)} />
      </header>
      <div class={`scroll panes-scroll ${dragging ? 'dragging' : ''}`}>
        <section class="panes-column" aria-label={pageText.nav.translate}>
          <LanguageBar translator={translator} />
          <Missing translator={translator} />
          <div class="panes">
            <SourcePane translator={translator} active={active} onDocument={sendDocument} />
            <TargetPane translator={translator} />
          </div>
          <DocumentStrip document={document} translator={translator} />
        </section>
      </div>
      {managing && (
        <GlossaryDialog translator={translator} glossaries={glossaries} onClose={() => setManaging(false)} />
      )}
      <Removed glossaries={glossaries} />
    </>
  )
}

function createStates({ http, server, address }: Page) {
  const translator = new Translator({
    http,
    server,
    storage: window.sessionStorage,
    onQuery: (query) => address.replace(sectionPath('translate') + query),
  })
  const glossaries = new GlossaryList(http)
  // One that was deleted, here or elsewhere, goes for nothing any more.
  effect(() => {
    const id = translator.glossary.value
    if (id === null || !glossaries.loaded.value || glossaries.has(id)) return
    untracked(() => translator.change({ glossary: null }))
  })
  return {
    translator,
    glossaries,
    document: new TranslatedDocument(http, window.sessionStorage),
  }
}

/** Says that nothing can be translated just now. */
function Missing({ translator: { languages } }: { translator: Translator }) {
  const nobody = languages.loading.failure.value !== null
  return (
    <div role="status" class="translate-note">
      {languages.missing.value && <p>{nobody ? text.away : text.noModel}</p>}
    </div>
  )
}

function Removed({ glossaries }: { glossaries: GlossaryList }) {
  const removal = glossaries.removal.value
  return (
    <div role="status" class="toast-place">
      {removal && (
        <p class="toast">
          {text.glossary.removed(removal.glossary.name)}
          <button type="button" class="quiet" onClick={() => glossaries.undo()}>
            {text.glossary.undo}
          </button>
        </p>
      )}
    </div>
  )
}

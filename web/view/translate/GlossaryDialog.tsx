import { useState } from 'preact/hooks'
import type { GlossaryList } from '../../state/translate/glossary-list.ts'
import type { Translator } from '../../state/translate/translator.ts'
import { text } from '../../text-translate.ts'
import type { Glossary, LanguagePair, Term } from '../../transport/glossaries.ts'
import { Dialog } from '../Dialog.tsx'
import { FailureNote } from '../FailureNote.tsx'
import { IconButton } from '../Icon.tsx'
import { GlossaryEditor } from './GlossaryEditor.tsx'

/** What is being edited; a glossary of null is a new one. */
interface Edited {
  readonly glossary: Glossary | null
  readonly pair: LanguagePair
  readonly terms: readonly Term[]
}

/** The glossaries into the target's language, to be used, made, edited and deleted. */
export function GlossaryDialog({
  translator,
  glossaries,
  onClose,
}: {
  translator: Translator
  glossaries: GlossaryList
  onClose: () => void
}) {
  const [edited, setEdited] = useState<Edited | null>(null)
  const pairs = glossaries.pairs.value
  const { value: from } = translator.from
  const { value: target } = translator.target
  const here =
    pairs.find((pair) => pair.source === from && pair.target === target) ??
    pairs.find((pair) => pair.target === target) ??
    pairs[0]
  const edit = async (glossary: Glossary, pair: LanguagePair) => {
    const terms = await glossaries.read(glossary, pair)
    if (terms) setEdited({ glossary, pair, terms })
  }
  const saved = (id: string, { source, target }: LanguagePair) => {
    setEdited(null)
    void translator.forget()
    translator.change({ glossary: id, source, target })
  }
  return (
    <Dialog title={edited ? (edited.glossary?.name ?? text.glossary.make) : text.glossary.title} onClose={onClose}>
      {edited ? (
        <GlossaryEditor
          {...edited}
          pairs={pairs}
          glossaries={glossaries}
          nameOf={(code) => translator.languages.nameOf(code)}
          onSaved={saved}
          onBack={() => setEdited(null)}
        />
      ) : (
        <div class="glossaries">
          <p class="note">{text.glossary.what}</p>
          <List
            translator={translator}
            glossaries={glossaries}
            onEdit={(glossary, pair) => void edit(glossary, pair)}
          />
          <FailureNote error={glossaries.loading.failure.value ?? glossaries.work.failure.value} />
          {here && (
            <button
              type="button"
              class="filled"
              onClick={() => setEdited({ glossary: null, pair: here, terms: [['', '']] })}
            >
              {text.glossary.make}
            </button>
          )}
        </div>
      )}
    </Dialog>
  )
}

function List({
  translator,
  glossaries,
  onEdit,
}: {
  translator: Translator
  glossaries: GlossaryList
  onEdit: (glossary: Glossary, pair: LanguagePair) => void
}) {
  const { languages } = translator
  const rows = glossaries.there.value.flatMap((glossary) =>
    glossary.dictionaries.map(({ source_lang: source, target_lang: target, entry_count }) => ({
      glossary,
      pair: { source, target },
      entries: entry_count,
    })),
  )
  if (rows.length === 0) return <p>{text.glossary.empty}</p>
  return (
    <ul class="glossary-list">
      {rows.map(({ glossary, pair, entries }) => (
        <li key={`${glossary.glossary_id} ${pair.source} ${pair.target}`}>
          <label>
            <input
              type="radio"
              name="glossary"
              aria-label={text.glossary.use(glossary.name)}
              checked={
                translator.glossary.value === glossary.glossary_id &&
                translator.from.value === pair.source &&
                translator.target.value === pair.target
              }
              onChange={() => translator.change({ glossary: glossary.glossary_id, ...pair })}
            />
            <span>
              <strong>{glossary.name}</strong>
              <small>
                {text.glossary.pair(languages.nameOf(pair.source), languages.nameOf(pair.target))},{' '}
                {text.glossary.terms(entries)}
              </small>
            </span>
          </label>
          <IconButton icon="pencil" label={text.glossary.edit(glossary.name)} onClick={() => onEdit(glossary, pair)} />
          <IconButton
            icon="trash"
            label={text.glossary.remove(glossary.name)}
            onClick={() => glossaries.remove(glossary, pair)}
          />
        </li>
      ))}
    </ul>
  )
}

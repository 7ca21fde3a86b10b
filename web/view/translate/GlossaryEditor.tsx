import { useState } from 'preact/hooks'
import type { GlossaryList } from '../../state/translate/glossary-list.ts'
import { checkTerms, pastedTerms } from '../../state/translate/terms.ts'
import { text } from '../../text-translate.ts'
import type { Glossary, LanguagePair, Term } from '../../transport/glossaries.ts'
import { FailureNote } from '../FailureNote.tsx'
import { IconButton } from '../Icon.tsx'

/** A glossary's terms as a table; a table that is pasted fills its rows. */
export function GlossaryEditor({
  glossary,
  pair: before,
  terms,
  pairs,
  glossaries,
  nameOf,
  onSaved,
  onBack,
}: {
  glossary: Glossary | null
  pair: LanguagePair
  terms: readonly Term[]
  pairs: readonly LanguagePair[]
  glossaries: GlossaryList
  nameOf: (code: string) => string
  onSaved: (id: string, pair: LanguagePair) => void
  onBack: () => void
}) {
  const [name, setName] = useState(glossary?.name ?? '')
  const [pair, setPair] = useState(before)
  const [rows, setRows] = useState(terms)
  const [problem, setProblem] = useState<string | null>(null)
  const busy = glossaries.work.busy.value
  const save = async () => {
    const checked = checkTerms(rows)
    const wrong = name.trim() === '' ? text.glossary.needsName : checked.problem
    setProblem(wrong)
    if (wrong !== null) return
    const id = await glossaries.write(glossary, name.trim(), pair, checked.terms)
    if (id !== undefined) onSaved(id, pair)
  }
  return (
    <form
      class="glossary-editor fields"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <label>
        <span>{text.glossary.name}</span>
        <input
          value={name}
          placeholder={text.glossary.namePlaceholder}
          maxLength={1024}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      {glossary === null && (
        <label>
          <span>{text.glossary.languages}</span>
          <select
            value={pairs.indexOf(pair)}
            onChange={({ currentTarget }) => setPair(pairs[Number(currentTarget.value)] ?? pair)}
          >
            {pairs.map(({ source, target }, i) => (
              <option key={`${source} ${target}`} value={i}>
                {text.glossary.pair(nameOf(source), nameOf(target))}
              </option>
            ))}
          </select>
        </label>
      )}
      <TermTable rows={rows} pair={pair} nameOf={nameOf} onRows={setRows} />
      <small>{text.glossary.tableHint}</small>
      <p class="failure failure-place" role="alert">
        {problem}
      </p>
      <FailureNote error={glossaries.work.failure.value} />
      <div class="button-line">
        <button type="submit" class="filled" disabled={busy}>
          {text.glossary.save}
        </button>
        <button type="button" class="plain" onClick={onBack}>
          {text.glossary.back}
        </button>
      </div>
    </form>
  )
}

function TermTable({
  rows,
  pair,
  nameOf,
  onRows,
}: {
  rows: readonly Term[]
  pair: LanguagePair
  nameOf: (code: string) => string
  onRows: (rows: readonly Term[]) => void
}) {
  const paste = (event: ClipboardEvent, at: number) => {
    const table = pastedTerms(event.clipboardData?.getData('text/plain') ?? '')
    if (!table) return
    event.preventDefault()
    const isEmpty = rows[at]?.every((term) => term.trim() === '') ?? true
    onRows([...rows.slice(0, isEmpty ? at : at + 1), ...table, ...rows.slice(at + 1)])
  }
  const field = (row: Term, at: number, side: 0 | 1) => (
    <input
      aria-label={side === 0 ? text.glossary.term(at + 1) : text.glossary.translation(at + 1)}
      value={row[side]}
      dir="auto"
      maxLength={1024}
      onPaste={(event) => paste(event, at)}
      onInput={({ currentTarget: { value } }) => onRows(rows.with(at, side === 0 ? [value, row[1]] : [row[0], value]))}
    />
  )
  return (
    <div class="term-table">
      <table>
        <thead>
          <tr>
            <th scope="col">{nameOf(pair.source)}</th>
            <th scope="col">{nameOf(pair.target)}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              <td>{field(row, at, 0)}</td>
              <td>{field(row, at, 1)}</td>
              <td>
                <IconButton
                  icon="close"
                  label={text.glossary.removeRow(at + 1)}
                  onClick={() => onRows(rows.toSpliced(at, 1))}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <button type="button" class="outlined" onClick={() => onRows([...rows, ['', '']])}>
        {text.glossary.add}
      </button>
    </div>
  )
}

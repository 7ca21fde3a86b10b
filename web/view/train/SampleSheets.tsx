import { useState } from 'preact/hooks'
import type { SampleSheet } from '../../state/train/job-record.ts'
import { text } from '../../text-train.ts'
import { contentPath } from '../../transport/training.ts'

const words = text.job

/** What the model makes, now and after earlier steps. */
export function SampleSheets({ sheets }: { sheets: readonly SampleSheet[] }) {
  /** Null: the newest, as they come. */
  const [picked, setPicked] = useState<number | null>(null)
  const at = picked ?? sheets.length - 1
  const sheet = sheets[at]
  return (
    <section class="samples" aria-label={words.samples}>
      <h3>{words.samples}</h3>
      {sheet ? (
        <>
          <div class="sheet">
            <img class="pixels" src={contentPath(sheet.fileId)} alt={words.sheet(sheet.step)} />
          </div>
          {sheets.length > 1 && (
            <label class="sheet-pick">
              <span class="note small">{words.sheetAt}</span>
              <input
                type="range"
                min={0}
                max={sheets.length - 1}
                value={at}
                aria-valuetext={sheet.step.toLocaleString()}
                onInput={(event) => {
                  const next = event.currentTarget.valueAsNumber
                  setPicked(next === sheets.length - 1 ? null : next)
                }}
              />
              <output>{sheet.step.toLocaleString()}</output>
            </label>
          )}
        </>
      ) : (
        <p class="note small">{words.samplesWait}</p>
      )}
    </section>
  )
}

import { signal } from '@preact/signals'
import { useMemo, useState } from 'preact/hooks'
import { partPath } from '../../state/studio/studio.ts'
import { Task } from '../../state/task.ts'
import { text } from '../../text-studio.ts'
import { type Generated, generateImages } from '../../transport/images.ts'
import { FailureNote } from '../FailureNote.tsx'
import { ModelPick } from './ModelPick.tsx'
import { PictureGrid } from './PictureGrid.tsx'
import { PromptField } from './PromptField.tsx'
import type { PartProps } from './StudioPage.tsx'
import { useModel } from './use-model.ts'
import { useStop } from '../use-stop.ts'

const COUNTS = Array.from({ length: 10 }, (_, i) => i + 1)
const MOST_SEED = 2 ** 32 - 1
const words = text.generate

interface Made {
  readonly prompt: string
  readonly result: Generated
}

/** Pictures from a prompt. */
export function Generate({ page, studio, active }: PartProps) {
  const { models, model, pick } = useModel({ page, studio, active }, 'generate')
  const task = useMemo(() => new Task(), [])
  const made = useMemo(() => signal<Made | null>(null), [])
  const [prompt, setPrompt] = useState('')
  const [count, setCount] = useState(8)
  const [seed, setSeed] = useState('')
  useStop(page, active, task)
  if (!model) return null
  const make = (asked: string) =>
    task.run(async (stop) => {
      const request = { model: model.id, prompt: asked, n: count, ...(seed === '' ? {} : { seed: Number(seed) }) }
      const result = await generateImages(page.http, request, stop)
      made.value = { prompt: asked, result }
    })
  const explore = (picture: string) => {
    studio.start.value = { picture }
    page.address.go(partPath('explore'))
  }
  const busy = task.busy.value
  const result = made.value?.result
  return (
    <div class="scroll">
      <section class="studio-column" aria-label={text.parts.generate}>
        <div class="title-line">
          <h2>{words.title}</h2>
          <ModelPick models={models} value={model} onPick={pick} />
        </div>
        <form
          class="generate"
          onSubmit={(event) => {
            event.preventDefault()
            if (busy) task.stop()
            else void make(prompt.trim())
          }}
        >
          <PromptField model={model} value={prompt} onChange={setPrompt} />
          <label>
            <span>{words.count}</span>
            <select value={count} onChange={(event) => setCount(Number(event.currentTarget.value))}>
              {COUNTS.map((n) => (
                <option key={n}>{n}</option>
              ))}
            </select>
          </label>
          <label title={words.seedHint}>
            <span>{words.seed}</span>
            <input
              class="seed"
              type="number"
              min={0}
              max={MOST_SEED}
              step={1}
              value={seed}
              onInput={(event) => setSeed(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="filled">
            {busy ? text.stop : words.make}
          </button>
        </form>
        {model.conditions?.kind === 'text' && (
          <ul class="examples" aria-label={words.examplesLabel}>
            {words.examples.map((example) => (
              <li key={example}>
                <button
                  type="button"
                  onClick={() => {
                    setPrompt(example)
                    void make(example)
                  }}
                >
                  {example}
                </button>
              </li>
            ))}
          </ul>
        )}
        <FailureNote error={task.failure.value} />
        <div class="button-line made-by" role="status">
          {busy ? (
            <span class="note small">{words.making}</span>
          ) : (
            result && <MadeBy result={result} onSeed={setSeed} />
          )}
        </div>
        {result?.degraded && <p class="warning">{words.degraded}</p>}
        {made.value && (
          <PictureGrid
            pictures={made.value.result.images}
            title={made.value.prompt}
            stale={busy}
            onExplore={studio.parts.value.includes('explore') ? explore : null}
          />
        )}
      </section>
    </div>
  )
}

function MadeBy({ result, onSeed }: { result: Generated; onSeed: (seed: string) => void }) {
  const { model, servedBy, seed } = result
  return (
    <>
      <span class="note small">{words.madeBy(model, words.where[servedBy ?? ''] ?? '', seed)}</span>
      <button type="button" class="quiet" onClick={() => onSeed(String(seed))}>
        {words.keepSeed}
      </button>
    </>
  )
}

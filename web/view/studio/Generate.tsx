import { signal } from '@preact/signals'
import { useMemo, useState } from 'preact/hooks'
import { dataUrl } from '../../state/studio/pictures.ts'
import { partPath } from '../../state/studio/studio.ts'
import { Task } from '../../state/task.ts'
import { text } from '../../text-studio.ts'
import { type Generated, generateImages } from '../../transport/images.ts'
import { Icon, IconButton } from '../Icon.tsx'
import { FailureNote } from './FailureNote.tsx'
import type { PartProps } from './StudioPage.tsx'
import { useStop } from './use-stop.ts'

const COUNTS = Array.from({ length: 10 }, (_, i) => i + 1)
const MOST_SEED = 2 ** 32 - 1
const words = text.generate

/** Pictures from a prompt. */
export function Generate({ page, studio, active }: PartProps) {
  const task = useMemo(() => new Task(), [])
  const made = useMemo(() => signal<{ prompt: string; result: Generated } | null>(null), [])
  const [prompt, setPrompt] = useState('')
  const [count, setCount] = useState(8)
  const [seed, setSeed] = useState('')
  useStop(page, active, task)
  const make = (asked: string) =>
    task.run(async (stop) => {
      const request = { prompt: asked, n: count, ...(seed === '' ? {} : { seed: Number(seed) }) }
      made.value = { prompt: asked, result: await generateImages(page.http, request, stop) }
    })
  const explore = (picture: string) => {
    studio.start.value = { picture }
    page.address.go(partPath('explore'))
  }
  const busy = task.busy.value
  return (
    <div class="scroll">
      <section class="studio-column" aria-label={text.parts.generate}>
        <h2>{words.title}</h2>
        <form
          class="generate"
          onSubmit={(event) => {
            event.preventDefault()
            if (busy) task.stop()
            else void make(prompt.trim())
          }}
        >
          <label class="prompt">
            <span>{words.prompt}</span>
            <input
              data-first-field
              maxLength={1000}
              placeholder={words.placeholder}
              value={prompt}
              onInput={(event) => setPrompt(event.currentTarget.value)}
            />
          </label>
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
        <FailureNote error={task.failure.value} />
        <p class="note small facts-line" role="status">
          {busy ? words.making : made.value && <MadeBy result={made.value.result} onSeed={setSeed} />}
        </p>
        {made.value?.result.degraded && <p class="warning">{words.degraded}</p>}
        <ul class={`picture-grid ${busy ? 'stale' : ''}`} aria-label={words.results}>
          {made.value?.result.images.map((image, i) => (
            <li key={image}>
              <img class="pixels" src={dataUrl(image)} alt={words.picture(made.value?.prompt ?? '', i + 1)} />
              <span class="picture-actions">
                <a
                  class="icon-button"
                  href={dataUrl(image)}
                  download={`${(made.value?.prompt || 'picture').replaceAll(/\W+/g, '-').slice(0, 40)}-${i + 1}.png`}
                  aria-label={words.save}
                  title={words.save}
                >
                  <Icon name="file" />
                </a>
                {studio.parts.value.includes('explore') && (
                  <IconButton icon="sliders" label={words.explore} onClick={() => explore(image)} />
                )}
              </span>
            </li>
          ))}
        </ul>
      </section>
    </div>
  )
}

function MadeBy({ result, onSeed }: { result: Generated; onSeed: (seed: string) => void }) {
  const { model, servedBy, seed } = result
  return (
    <>
      {model && words.madeBy(model, words.where[servedBy ?? ''] ?? '')}
      {seed !== null && (
        <>
          {', '}
          {words.seedUsed(seed)}{' '}
          <button type="button" class="quiet" onClick={() => onSeed(String(seed))}>
            {words.keepSeed}
          </button>
        </>
      )}
    </>
  )
}

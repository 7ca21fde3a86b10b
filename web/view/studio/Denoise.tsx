import { signal } from '@preact/signals'
import { useMemo, useState } from 'preact/hooks'
import { dataUrl, fitPicture, isPicture, withNoise } from '../../state/studio/pictures.ts'
import { FileProblem, Task } from '../../state/task.ts'
import { text } from '../../text-studio.ts'
import { denoise } from '../../transport/images.ts'
import type { ImageInput, TrainedModel } from '../../transport/trained-models.ts'
import { BeforeAfter } from './BeforeAfter.tsx'
import { FailureNote } from '../FailureNote.tsx'
import { FileButton } from '../FileButton.tsx'
import { ModelPick } from './ModelPick.tsx'
import { SaveLink } from './SaveLink.tsx'
import type { PartProps } from './StudioPage.tsx'
import { useFiles } from '../use-files.ts'
import { useModel } from './use-model.ts'
import { useStop } from '../use-stop.ts'

const words = text.denoise

/** A picture before and after its noise was taken out. */
export function Denoise({ page, studio, active }: PartProps) {
  const { models, model, pick } = useModel({ page, studio, active }, 'denoise')
  const task = useMemo(() => new Task(), [])
  /** As it was given, of the model's size. */
  const given = useMemo(() => signal<string | null>(null), [])
  const shown = useMemo(() => signal<{ before: string; after: string } | null>(null), [])
  const [noise, setNoise] = useState(0)
  useStop(page, active, task)
  const mend = (deviation: number, read: () => Promise<string>) => {
    if (!model) return
    void task.run(async (stop) => {
      const picture = await read()
      given.value = picture
      const before = deviation === 0 ? picture : await withNoise(picture, deviation)
      const after = await denoise(page.http, model.id, before, stop)
      shown.value = { before, after }
    })
  }
  const take = ([file]: readonly File[]) => {
    if (file && model) mend(noise, () => readPicture(file, model.input))
  }
  const dragging = useFiles(active, take)
  if (!model) return null
  return (
    <div class={`scroll ${dragging ? 'dragging' : ''}`}>
      <section class="studio-column" aria-label={text.parts.denoise}>
        <div class="title-line">
          <h2>{words.title}</h2>
          <ModelPick models={models} value={model} onPick={pick} />
        </div>
        <div class="drop-line">
          <FileButton label={text.files.pick} accept="image/*" onFiles={take} />
          <p class="note small">{words.drop}</p>
        </div>
        <FailureNote error={task.failure.value} />
        {given.value && (
          <label class="noise">
            <span>{words.noise}</span>
            <input
              type="range"
              min={0}
              max={0.5}
              step={0.05}
              value={noise}
              aria-valuetext={text.percent(noise)}
              onInput={(event) => {
                const deviation = event.currentTarget.valueAsNumber
                setNoise(deviation)
                const { value: picture } = given
                if (picture) mend(deviation, async () => picture)
              }}
            />
            <output>{text.percent(noise)}</output>
          </label>
        )}
        {shown.value && (
          <>
            <BeforeAfter before={dataUrl(shown.value.before)} after={dataUrl(shown.value.after)} />
            <div class="button-line">
              <SaveLink url={dataUrl(shown.value.after)} name={`${model.id}.png`} />
            </div>
          </>
        )}
      </section>
    </div>
  )
}

async function readPicture(file: File, input: TrainedModel['input']): Promise<string> {
  if (!isPicture(file)) throw new FileProblem(text.files.wrongKind(file.name, words.wantedPicture))
  return fitPicture(file, input as ImageInput)
}

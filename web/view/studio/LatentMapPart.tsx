import { useLayoutEffect, useMemo } from 'preact/hooks'
import { LatentMap, METHODS, MOST_PICTURES, type Method } from '../../state/studio/latent-map.ts'
import { dataUrl, fitPicture, isPicture } from '../../state/studio/pictures.ts'
import { partPath } from '../../state/studio/studio.ts'
import { FileProblem } from '../../state/task.ts'
import { text } from '../../text-studio.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'
import { FailureNote } from '../FailureNote.tsx'
import { FileButton } from '../FileButton.tsx'
import { MapCanvas } from './MapCanvas.tsx'
import { ModelPick } from './ModelPick.tsx'
import type { PartProps } from './StudioPage.tsx'
import { useFiles } from '../use-files.ts'
import { useModel } from './use-model.ts'
import { useStop } from '../use-stop.ts'

const words = text.map

/** Pictures by where a model sees them: what looks alike to it lies together. */
export function LatentMapPart({ page, studio, active }: PartProps) {
  const { models, model, pick } = useModel({ page, studio, active }, 'map')
  const map = useMemo(() => new LatentMap(studio.http), [studio])
  // Before anything can be taken: files may come as soon as there is a place for them.
  useLayoutEffect(() => map.clear(), [map, model?.id])
  useStop(page, active, map.task)
  const take = (files: readonly File[]) => {
    if (model) void map.take(model, () => readPictures(files, model))
  }
  const dragging = useFiles(active, take)
  if (!model) return null
  const busy = map.task.busy.value
  const { done, total } = map.progress.value
  const explore = (index: number) => {
    const item = map.items.value[index]
    if (!item) return
    studio.start.value = { model: model.id, latent: item.latent }
    page.address.go(partPath('explore', model.id))
  }
  return (
    <div class={`scroll ${dragging ? 'dragging' : ''}`}>
      <section class="studio-column" aria-label={text.parts.map}>
        <div class="title-line">
          <h2>{words.title}</h2>
          <ModelPick models={models} value={model} onPick={pick} />
        </div>
        <div class="drop-line">
          {model.task === 'vae' && (
            <button type="button" class="outlined" disabled={busy} onClick={() => void map.sample(model)}>
              {words.sample}
            </button>
          )}
          <FileButton label={text.files.pickSome} accept="image/*" multiple onFiles={take} />
          <label class="model-pick">
            <span>{words.arrange}</span>
            <select
              value={map.method.value}
              onChange={(event) => {
                const method = METHODS.find((known) => known === event.currentTarget.value)
                if (method) void map.arrange(model, method satisfies Method)
              }}
            >
              {METHODS.map((method) => (
                <option key={method} value={method}>
                  {words.methods[method]}
                </option>
              ))}
            </select>
          </label>
        </div>
        <FailureNote error={map.task.failure.value} />
        <div class="progress-line" role="status">
          {busy && (
            <>
              <progress max={total} value={done} aria-label={words.reading(done, total)} />
              <span class="note small">{words.reading(done, total)}</span>
              <button type="button" class="quiet" onClick={() => map.task.stop()}>
                {text.stop}
              </button>
            </>
          )}
        </div>
        {map.points.value.length === 0 ? (
          <p class="note">{words.empty}</p>
        ) : (
          <div class="map">
            <MapCanvas map={map} onChoose={explore} />
            <Selected map={map} onExplore={explore} />
          </div>
        )}
      </section>
    </div>
  )
}

function Selected({ map, onExplore }: { map: LatentMap; onExplore: (index: number) => void }) {
  const index = map.selected.value
  const item = index === null ? undefined : map.items.value[index]
  if (index === null || !item) return null
  return (
    <aside class="map-detail" aria-label={words.selected}>
      <div class="picture-frame">
        <img class="pixels" src={dataUrl(item.picture)} alt={words.picture(index + 1, map.items.value.length)} />
      </div>
      <button type="button" class="outlined" onClick={() => onExplore(index)}>
        {words.explore}
      </button>
      <p class="note small">{words.hint}</p>
    </aside>
  )
}

/** @throws FileProblem if there are too many, or one is none */
async function readPictures(files: readonly File[], { input }: TrainedModel): Promise<readonly string[]> {
  if (files.length > MOST_PICTURES) throw new FileProblem(words.tooMany(files.length, MOST_PICTURES))
  const wrong = files.find((file) => !isPicture(file))
  if (wrong || input.kind !== 'images') {
    throw new FileProblem(text.files.wrongKind(wrong?.name ?? text.files.unnamed, text.anomalies.wantedPictures))
  }
  const pictures: string[] = []
  for (const file of files) pictures.push(await fitPicture(file, input))
  return pictures
}

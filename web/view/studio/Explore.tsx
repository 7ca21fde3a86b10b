import { useEffect, useMemo } from 'preact/hooks'
import { Exploration } from '../../state/studio/exploration.ts'
import { blobOf, dataUrl, fitPicture, isPicture } from '../../state/studio/pictures.ts'
import { readTable } from '../../state/studio/table.ts'
import { FileProblem } from '../../state/task.ts'
import { text } from '../../text-studio.ts'
import type { Decoded } from '../../transport/latents.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'
import { Between } from './Between.tsx'
import { Directions } from './Directions.tsx'
import { FailureNote } from '../FailureNote.tsx'
import { FileButton } from '../FileButton.tsx'
import { ModelPick } from './ModelPick.tsx'
import { RowBars } from './RowBars.tsx'
import { SaveLink } from './SaveLink.tsx'
import type { PartProps } from './StudioPage.tsx'
import { useFiles } from '../use-files.ts'
import { useModel } from './use-model.ts'

/** Sliders along the directions of a latent space, and a way from one place to another, decoded as one goes. */
export function Explore({ page, studio, active }: PartProps) {
  const walk = useMemo(() => new Exploration(studio), [studio])
  const { models, model, pick } = useModel({ page, studio, active }, 'explore')
  const start = studio.start.value
  useEffect(() => {
    if (!active || !model) return
    walk.choose(model)
    studio.start.value = null
    if (start && 'latent' in start) walk.goTo(start.latent)
    else if (start) void walk.begin((of) => readFile(pictureFile(start.picture), of))
  }, [active, model, start, studio, walk])
  const take = ([file]: readonly File[]) => {
    if (file) void walk.begin((of) => readFile(file, of))
  }
  const dragging = useFiles(active, take)
  if (!model) return null
  const takesPictures = model.input.kind === 'images'
  const words = text.explore
  const decodedIn = walk.decodedIn.value
  return (
    <div class={`scroll ${dragging ? 'dragging' : ''}`}>
      <section class="studio-column" aria-label={text.parts.explore}>
        <div class="title-line">
          <h2>{words.title}</h2>
          <ModelPick models={models} value={model} onPick={pick} />
        </div>
        <div class={`explore ${takesPictures ? '' : 'of-rows'}`}>
          <div class="here">
            <Here decoded={walk.shown.value} walk={walk} model={model} />
            <div class="button-line">
              <button type="button" class="outlined" onClick={() => void walk.goSomewhere()}>
                {words.random}
              </button>
              <button type="button" class="outlined" onClick={() => walk.goToMiddle()}>
                {words.origin}
              </button>
              {walk.shown.value && 'b64_json' in walk.shown.value && (
                <SaveLink url={dataUrl(walk.shown.value.b64_json)} name={`${model.id}.png`} />
              )}
            </div>
            <div class="button-line facts-line">
              <p class="note small">
                {decodedIn && words.decoded(words.where[decodedIn.where], decodedIn.milliseconds)}
              </p>
              {model.decoder && <WhereSwitch walk={walk} />}
            </div>
            <FailureNote error={walk.failure.value} />
            <div class="drop-line">
              <FileButton label={text.files.pick} accept={takesPictures ? 'image/*' : '.csv,text/csv'} onFiles={take} />
              <p class="note small">{takesPictures ? words.drop : words.dropRow}</p>
            </div>
          </div>
          <Directions walk={walk} />
        </div>
        <Between walk={walk} />
      </section>
    </div>
  )
}

/** The same file decodes at the edge and here; what it needs here is fetched when it is first used. */
function WhereSwitch({ walk }: { walk: Exploration }) {
  const here = walk.where.value === 'browser'
  return (
    <label class="check small" title={text.explore.hereHint}>
      <input
        type="checkbox"
        checked={here}
        onChange={(event) => walk.decodeIn(event.currentTarget.checked ? 'browser' : 'edge')}
      />
      {text.explore.here}
    </label>
  )
}

function Here({ decoded, walk, model }: { decoded: Decoded | null; walk: Exploration; model: TrainedModel }) {
  if (model.input.kind === 'rows') {
    const row = decoded && 'row' in decoded ? decoded.row : []
    return <RowBars label={text.explore.row} columns={model.input.columns} row={row} ranges={walk.ranges.value} />
  }
  return (
    <div class="picture-frame">
      {decoded && 'b64_json' in decoded && (
        <img class="pixels" src={dataUrl(decoded.b64_json)} alt={text.explore.picture} draggable={false} />
      )}
    </div>
  )
}

const pictureFile = (base64: string) => new File([blobOf(base64)], 'picture.png', { type: 'image/png' })

/** @throws FileProblem if the model does not take it */
async function readFile(file: File, { input }: TrainedModel) {
  if (input.kind === 'images') {
    if (!isPicture(file)) throw new FileProblem(text.files.wrongKind(file.name, text.explore.wantedPicture))
    return { images: [await fitPicture(file, input)] }
  }
  if (isPicture(file)) throw new FileProblem(text.files.wrongKind(file.name, text.explore.wantedTable))
  const columns = input.columns.map(({ name }) => name)
  return { rows: (await readTable(file, columns)).rows.slice(0, 1) }
}

import { useLayoutEffect, useMemo } from 'preact/hooks'
import { fitPicture, isPicture } from '../../state/studio/pictures.ts'
import { type Material, Scoring } from '../../state/studio/scoring.ts'
import { readTable } from '../../state/studio/table.ts'
import { FileProblem } from '../../state/task.ts'
import { text } from '../../text-studio.ts'
import type { TrainedModel } from '../../transport/trained-models.ts'
import { AnomalyResult } from './AnomalyResult.tsx'
import { FailureNote } from '../FailureNote.tsx'
import { FileButton } from '../FileButton.tsx'
import { ModelPick } from './ModelPick.tsx'
import sensorReadings from './sensor-readings.csv?url'
import type { PartProps } from './StudioPage.tsx'
import { useFiles } from '../use-files.ts'
import { useModel } from './use-model.ts'
import { useStop } from '../use-stop.ts'

/** The bundled model that the example is for. */
const EXAMPLE_MODEL = 'sensor-anomalies'

/** Rows or pictures, scored by how little they look like what a model was trained on. */
export function Anomalies({ page, studio, active }: PartProps) {
  const scoring = useMemo(() => new Scoring(studio.http), [studio])
  const { models, model, pick } = useModel({ page, studio, active }, 'anomalies')
  // Before anything can be taken: files may come as soon as there is a place for them.
  useLayoutEffect(() => scoring.clear(), [scoring, model?.id])
  const take = (files: readonly File[]) => {
    if (model) void scoring.begin(model, () => readMaterial(files, model))
  }
  const dragging = useFiles(active, take)
  useStop(page, active, scoring.task)
  if (!model) return null
  const takesPictures = model.input.kind === 'images'
  const columns = model.input.kind === 'rows' ? model.input.columns.map(({ name }) => name) : []
  const takeExample = () => void scoring.begin(model, async () => readMaterial([await exampleFile()], model))
  const words = text.anomalies
  return (
    <div class={`scroll ${dragging ? 'dragging' : ''}`}>
      <section class="studio-column" aria-label={text.parts.anomalies}>
        <div class="title-line">
          <h2>{words.title}</h2>
          <ModelPick models={models} value={model} onPick={pick} />
        </div>
        <div class="drop-line">
          <FileButton
            label={takesPictures ? text.files.pickSome : text.files.pick}
            accept={takesPictures ? 'image/*' : '.csv,text/csv'}
            multiple={takesPictures}
            onFiles={take}
          />
          {model.id === EXAMPLE_MODEL && (
            <button type="button" class="outlined" onClick={takeExample}>
              {words.example}
            </button>
          )}
        </div>
        <p class="note small">{takesPictures ? words.dropPictures : words.dropTable(columns)}</p>
        <FailureNote error={scoring.task.failure.value} />
        <Progress scoring={scoring} model={model} />
        {scoring.scored.value.length > 0 && <AnomalyResult scoring={scoring} model={model} />}
      </section>
    </div>
  )
}

function Progress({ scoring, model }: { scoring: Scoring; model: TrainedModel }) {
  const total = scoring.total.value
  const done = scoring.scored.value.length
  const busy = scoring.task.busy.value
  return (
    <div class="progress-line" role="status">
      {total > 0 && (busy || done < total) && (
        <>
          <progress max={total} value={done} aria-label={text.anomalies.scoring(done, total)} />
          <span class="note small">{text.anomalies.scoring(done, total)}</span>
          {busy ? (
            <button type="button" class="quiet" onClick={() => scoring.task.stop()}>
              {text.stop}
            </button>
          ) : (
            <button type="button" class="quiet" onClick={() => void scoring.goOn(model)}>
              {text.goOn}
            </button>
          )}
        </>
      )}
    </div>
  )
}

async function exampleFile(): Promise<File> {
  const response = await fetch(sensorReadings)
  return new File([await response.blob()], 'sensor-readings.csv', { type: 'text/csv' })
}

/** @throws FileProblem if the model does not take them */
async function readMaterial(files: readonly File[], { input }: TrainedModel): Promise<Material> {
  if (input.kind === 'images') {
    const wrong = files.find((file) => !isPicture(file))
    if (wrong) throw new FileProblem(text.files.wrongKind(wrong.name, text.anomalies.wantedPictures))
    const pictures: string[] = []
    for (const file of files) pictures.push(await fitPicture(file, input))
    return { kind: 'images', pictures }
  }
  const [file] = files
  if (!file || isPicture(file)) {
    throw new FileProblem(text.files.wrongKind(file?.name ?? text.files.unnamed, text.anomalies.wantedTable))
  }
  const columns = input.columns.map(({ name }) => name)
  return { kind: 'rows', table: await readTable(file, columns) }
}

/**
 * The process that trains one job, beside the runner that answers chats: of low priority, and gone when its runner is. It
 * reads the data, trains from the checkpoint if there is one, and leaves files for the runner to carry away.
 */
import { createHash } from 'node:crypto'
import { linkSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { constants, setPriority } from 'node:os'
import path from 'node:path'
import * as v from 'valibot'
import { rehearsalIn } from '#models/bundled/rehearsals.ts'
import { anyPublishedSchema } from '#protocol/published-model.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { CheckpointError } from '../trainer/checkpoint.ts'
import { DataSetError } from '../trainer/data/data-set-error.ts'
import type { MadeModel } from '../trainer/make-model.ts'
import { prepare } from '../trainer/prepare.ts'
import type { Prepared } from '../trainer/prepared.ts'
import { type TranslationBase, translationBase } from '../trainer/tasks/translation-base.ts'
import { DivergenceError, type TrainingEvent } from '../trainer/trainer.ts'
import { type Failure, runnerFailure } from './failure.ts'
import type { Assignment, FromTraining, ToTraining } from './messages.ts'
import { writeSheet } from './sample-sheet.ts'

const stopping = new AbortController()

// Threads that are begun later have it, too.
setPriority(constants.priority.PRIORITY_LOW)
process.once('disconnect', () => process.exit(0))
process.on('message', (message: ToTraining) => {
  if (message.type === 'stop') stopping.abort()
  else void train(message).then(tell, (error: unknown) => tell({ type: 'failed', ...failureOf(error) }))
})

async function train(assignment: Assignment): Promise<FromTraining> {
  const { job, training, validation, checkpoint } = assignment
  const files = { training, ...(validation !== null && { validation }) }
  const base = await baseOf(assignment)
  const prepared = await prepare(job.method, job.seed, files, base)
  await tell({ type: 'prepared', warnings: prepared.warnings })
  // Data that cannot be read is told of before the engine has been loaded.
  const { Runtime } = await import('../runtime/runtime.ts')
  using ort = new Runtime({ threads: assignment.threads })
  const made = await make(ort, assignment, prepared, base).catch(async (error: unknown) => {
    if (!(error instanceof CheckpointError)) throw error
    await tell({ type: 'warning', message: 'The checkpoint cannot be gone on from; the training begins anew.' })
    await rm(checkpoint, { force: true })
    return make(ort, assignment, prepared, base)
  })
  if (!made) return { type: 'stopped' }
  for (const message of made.warnings) await tell({ type: 'warning', message })
  return keep(assignment.folder, made)
}

/** What is tuned. @throws OnnxError if it is not a model that translates */
async function baseOf({ job, base: files }: Assignment): Promise<TranslationBase | undefined> {
  if (!job.base || !files) return undefined
  const [vocabulary, encoder, decoder] = await Promise.all(
    [files.vocabulary, files.encoder, files.decoder].map((file) => readFile(file)),
  )
  if (!vocabulary || !encoder || !decoder) throw new TypeError('a model that translates is three files')
  return translationBase(job.base, { vocabulary, encoder, decoder }, await rehearsalIn(job.base.parts.languages.source))
}

async function make(
  ort: Runtime,
  { job, folder, checkpoint }: Assignment,
  prepared: Prepared,
  base: TranslationBase | undefined,
) {
  const { recipe, training, validation } = prepared
  /** Sheets are written one after the other, beside the training. */
  let sheets = Promise.resolve()
  const show = async (event: Extract<TrainingEvent, { type: 'samples' }>) => {
    const file = path.join(folder, `samples-${event.step}.png`)
    await writeSheet(file, event.samples)
    await tell({ type: 'samples', step: event.step, file })
  }
  const onEvent = (event: TrainingEvent) => {
    if (event.type === 'samples') sheets = sheets.then(() => show(event))
    else void tell(messageOf(event, recipe.batch))
  }
  const source = {
    description: `The file that its owner uploaded: ${job.training_file.filename}`,
    licence: 'Its owner’s',
  }
  const { makeModel } = await import('../trainer/make-model.ts')
  const made = await makeModel(
    ort,
    { recipe, training, validation, base, source },
    {
      id: job.model_id,
      owner: job.owner,
      description: descriptionOf(job),
      checkpoint,
      signal: stopping.signal,
      onEvent,
    },
  )
  await sheets
  return made
}

function descriptionOf({ id, model, method }: Assignment['job']): string {
  if (method.type !== 'translation') return `A model of the kind '${model}', trained by ${id}`
  const { source_language, target_language } = method.translation
  const origin = model === 'translation' ? 'trained' : `tuned from '${model}'`
  return `Translates ${source_language} into ${target_language}, ${origin} by ${id}`
}

function messageOf(event: Exclude<TrainingEvent, { type: 'samples' }>, batch: number): FromTraining {
  if (event.type === 'validation') return { type: 'validation', step: event.step, valid: finite(event.metrics) }
  if (event.type === 'checkpoint') {
    // The next one replaces the name, not the bytes.
    const file = `${event.file}.${event.step}`
    linkSync(event.file, file)
    return { type: 'checkpoint', step: event.step, file }
  }
  return {
    type: 'progress',
    step: event.step,
    total_steps: event.steps,
    epoch: event.epoch,
    train: finite(event.losses),
    samples_per_second: event.stepsPerSecond * batch,
    seconds_left: event.secondsLeft,
  }
}

/** JSON has no other numbers. */
function finite(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)))
}

/** The model's files, under their hashes. */
async function keep(folder: string, { manifest, files }: MadeModel): Promise<FromTraining> {
  const names = files.map((bytes) => path.join(folder, `${createHash('sha256').update(bytes).digest('hex')}.onnx`))
  await Promise.all(files.map((bytes, i) => writeFile(names[i] ?? '', bytes)))
  const card = { ...manifest.card, metrics: finite(manifest.card.metrics) }
  return { type: 'made', manifest: v.parse(anyPublishedSchema, { ...manifest, card }), files: names }
}

function failureOf(error: unknown): Failure {
  if (error instanceof DataSetError) {
    return { error: { code: 'invalid_training_file', message: error.message, param: 'training_file' }, again: false }
  }
  if (error instanceof DivergenceError) {
    return { error: { code: 'training_diverged', message: error.message, param: null }, again: false }
  }
  console.error(error)
  return runnerFailure(error)
}

/** Settles when it has been sent: what is told last is heard, too. */
function tell(message: FromTraining): Promise<void> {
  return new Promise((resolve) => {
    // Without a runner there is nobody to tell, and the process ends.
    process.send?.(message, undefined, undefined, () => resolve())
  })
}

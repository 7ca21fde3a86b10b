/**
 * A look at a job's data files: whether they are there, and of a kind that the method learns from. What is in them the runner
 * reads.
 */
import type { JobError } from '#protocol/training.ts'
import type { Bindings } from '../env.ts'
import { findFile, keyOfFile } from '../storage/files.ts'
import { isGiven, type JobRecord } from './job-state.ts'

/** How a zip archive begins, and one that is empty. */
const ZIPS = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x50, 0x4b, 0x05, 0x06],
]
/** Of a file that is no zip: no text has a zero byte. */
const LOOKED_AT = 4 << 10
/** How a text in UTF-16 begins, which is full of them. */
const UTF_16 = [
  [0xff, 0xfe],
  [0xfe, 0xff],
]
const OF_TABLES = ['columns', 'label'] as const
const OF_IMAGES = ['image_size', 'channels'] as const

type Kind = 'images' | 'text'

/** @returns what is wrong */
export async function checkFiles(env: Bindings, record: JobRecord): Promise<JobError | null> {
  const { trainingFile, validationFile } = record
  const training = await kindOf(env, record, trainingFile)
  if (training === 'gone' || training === 'unknown') return problemOf('training_file', trainingFile, training)
  const unused = unusedOf(record, training)
  if (unused) return unused
  if (validationFile === null) return null
  const validation = await kindOf(env, record, validationFile)
  if (validation === training) return null
  return problemOf('validation_file', validationFile, validation === 'gone' ? 'gone' : 'unknown')
}

async function kindOf(env: Bindings, { owner, method }: JobRecord, id: string): Promise<Kind | 'gone' | 'unknown'> {
  const file = await findFile(env.DB, owner, id, Date.now())
  const object = file && (await env.OBJECTS.get(keyOfFile(id), { range: { offset: 0, length: LOOKED_AT } }))
  if (!object) return 'gone'
  const bytes = new Uint8Array(await object.arrayBuffer())
  const begins = (starts: readonly (readonly number[])[]) =>
    starts.some((start) => start.every((byte, i) => bytes[i] === byte))
  if (begins(ZIPS)) return 'images'
  const isWide = method.type === 'translation' && begins(UTF_16)
  return bytes.includes(0) && !isWide ? 'unknown' : 'text'
}

function problemOf(param: 'training_file' | 'validation_file', id: string, what: 'gone' | 'unknown'): JobError {
  const wanted = param === 'training_file' ? 'a zip archive or a text' : 'of the kind that the training file is'
  const message = what === 'gone' ? `The file '${id}' is not there any more.` : `The file '${id}' is not ${wanted}.`
  return { code: `invalid_${param}`, message, param }
}

/** What the method is told, or needs, that goes with the other kind of data. */
function unusedOf({ method, model, trainingFile }: JobRecord, kind: Kind): JobError | null {
  if (method.type === 'translation') {
    const message = `Pairs of sentences are learned from TMX, JSONL or a table with tabs: '${trainingFile}' is a zip archive.`
    return kind === 'text' ? null : { code: 'invalid_training_file', message, param: 'training_file' }
  }
  if (method.type !== 'autoencoder' || model === 'denoiser') {
    const message = `A '${model}' learns from images: '${trainingFile}' is not a zip archive of them.`
    return kind === 'images' ? null : { code: 'invalid_training_file', message, param: 'training_file' }
  }
  const { hyperparameters } = method.autoencoder
  const unused = (kind === 'images' ? OF_TABLES : OF_IMAGES).find((name) => isGiven(hyperparameters[name]))
  if (!unused) return null
  const param = `method.autoencoder.hyperparameters.${unused}`
  const message = `'${param}' is for ${kind === 'images' ? 'tables' : 'images'}, and '${trainingFile}' has ${kind === 'images' ? 'images' : 'a table'}.`
  return { code: 'invalid_hyperparameter', message, param }
}

/**
 * The thread that draws, one request at a time in the order in which they came, so that nothing it does holds up a stream
 * of text. See `image-client.ts` for the other side.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { ApiError, type ErrorDetail } from '#protocol/error.ts'
import type { ImageWork } from '#protocol/image-work.ts'
import { Runtime } from '../runtime/runtime.ts'
import { PublishedFiles, type PublishedFilesOptions } from '../store/published-files.ts'
import { Generators } from './generators.ts'
import { encodeImage } from './image-file.ts'

export interface ImageThreadData extends PublishedFilesOptions {
  readonly threads: number
}
export type ImageCommand =
  | { readonly type: 'draw'; readonly id: number; readonly work: ImageWork }
  | { readonly type: 'cancel'; readonly id: number }
export type ImageMessage =
  | { readonly type: 'drawn'; readonly id: number; readonly images: readonly string[] }
  | {
      readonly type: 'failed'
      readonly id: number
      readonly error: ErrorDetail
      readonly retryAfter?: number | undefined
    }

if (!parentPort) throw new TypeError('pictures are drawn in a thread of their own')
const port = parentPort
const { threads, ...store } = workerData as ImageThreadData
const files = new PublishedFiles(store)
const generators = new Generators({ ort: new Runtime({ threads }), read: (file) => files.read(file) })
/** Those that wait or are being drawn, and whether they are still wanted. */
const wanted = new Map<number, boolean>()
let turn: Promise<void> = Promise.resolve()

port.on('message', (command: ImageCommand) => {
  const { id } = command
  if (command.type === 'draw') {
    wanted.set(id, true)
    turn = turn.then(() => answer(id, command.work))
  } else if (wanted.has(id)) wanted.set(id, false)
})

async function answer(id: number, work: ImageWork): Promise<void> {
  try {
    const images: string[] = []
    for (const seed of work.seeds) {
      if (!wanted.get(id)) break
      const planes = await generators.draw(work, seed)
      images.push((await encodeImage(planes, work)).toString('base64'))
    }
    send({ type: 'drawn', id, images })
  } catch (thrown) {
    if (!(thrown instanceof ApiError))
      console.error(JSON.stringify({ level: 'error', event: 'images', error: String(thrown) }))
    const error = thrown instanceof ApiError ? thrown : new ApiError('runner_failed', 'the picture could not be drawn')
    send({ type: 'failed', id, error: error.detail, retryAfter: error.retryAfter })
  }
  wanted.delete(id)
}

function send(message: ImageMessage): void {
  port.postMessage(message)
}

/** An edge whose owner has tiny models of pictures, and the page on it. */
import path from 'node:path'
import type { BrowserContextOptions } from 'playwright-core'
import { LOCAL_OWNER } from '#edge/storage/keys.ts'
import { needFile, newModel } from '#edge/storage/trained-models.ts'
import { type Edge, type EdgeOptions, startEdge } from '#edge/testing/edge.ts'
import type { ModelParts } from '#protocol/published-model.ts'
import {
  DECODER,
  DENOISER,
  detector,
  ENCODER,
  fileOf,
  IMAGE_SCORER,
  IMAGES,
  publish,
  VAE,
} from '../inference/models.ts'
import { type OpenPage, openPageOf } from './page.ts'

const PAGE = path.join(import.meta.dirname, '..', '..', 'dist', 'web')
const MODELS: Readonly<Record<string, { parts: ModelParts; files: Uint8Array[] }>> = {
  'tiny-vae': { parts: VAE, files: [ENCODER, DECODER] },
  'tiny-detector': { parts: detector(IMAGES, IMAGE_SCORER), files: [IMAGE_SCORER] },
  'tiny-denoiser': { parts: { family: 'denoiser', input: IMAGES, denoiser: fileOf(DENOISER) }, files: [DENOISER] },
}

export interface PictureEdge extends AsyncDisposable {
  readonly edge: Edge
  open(path: string, options?: BrowserContextOptions): Promise<OpenPage>
}

export async function startPictureEdge(options: Pick<EdgeOptions, 'runnerUrl'> = {}): Promise<PictureEdge> {
  const edge = await startEdge({ loopback: true, page: PAGE, ...options })
  for (const [id, { parts, files }] of Object.entries(MODELS)) {
    const manifest = await publish(edge, id, { owner: LOCAL_OWNER, parts, files })
    await newModel(edge.database, LOCAL_OWNER, manifest).run()
    for (const file of files) await needFile(edge.database, id, fileOf(file).sha256)
  }
  return {
    edge,
    open: (path, options = {}) => openPageOf(edge.url, { path, options }),
    [Symbol.asyncDispose]: () => edge.stop(),
  }
}

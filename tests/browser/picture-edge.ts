/** An edge with tiny models of pictures, and the page on it. */
import path from 'node:path'
import type { BrowserContextOptions } from 'playwright-core'
import { type Edge, startEdge } from '#edge/testing/edge.ts'
import {
  DECODER,
  DENOISER,
  detector,
  ENCODER,
  fileOf,
  IMAGE_SCORER,
  IMAGES,
  LATENTS,
  publish,
} from '../inference/models.ts'
import { type OpenPage, openPageOf } from './page.ts'

const PAGE = path.join(import.meta.dirname, '..', '..', 'dist', 'web')

/** What the list of models says of each. */
const LISTED = [
  { id: 'tiny-vae', task: 'vae', latents: LATENTS },
  { id: 'tiny-detector', task: 'autoencoder', latents: LATENTS },
  { id: 'tiny-denoiser', task: 'denoiser' },
]
const CARD = { description: 'For a test', data: 'None', licence: 'Apache-2.0', metrics: {}, recipe: {} }

export interface PictureEdge extends AsyncDisposable {
  readonly edge: Edge
  open(path: string, options?: BrowserContextOptions): Promise<OpenPage>
}

export async function startPictureEdge(): Promise<PictureEdge> {
  const edge = await startEdge({ loopback: true, page: PAGE })
  await publish(edge, 'tiny-vae', { files: [ENCODER, DECODER] })
  await publish(edge, 'tiny-detector', { parts: detector(IMAGES, IMAGE_SCORER), files: [IMAGE_SCORER] })
  await publish(edge, 'tiny-denoiser', {
    parts: { family: 'denoiser', input: IMAGES, denoiser: fileOf(DENOISER) },
    files: [DENOISER],
  })
  return {
    edge,
    open: (path, options = {}) =>
      openPageOf(edge.url, {
        path,
        options,
        before: (page) =>
          // The list has what ships with Tandem alone.
          page.route('**/v1/models', (route) => {
            const common = { object: 'model', created: 1_700_000_000, owned_by: 'tandem', device: 'edge', card: CARD }
            const data = LISTED.map((model) => ({ ...common, input: IMAGES, ...model }))
            return route.fulfill({ json: { object: 'list', data } })
          }),
      }),
    [Symbol.asyncDispose]: () => edge.stop(),
  }
}

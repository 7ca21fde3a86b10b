/** What a model hub says of one of its files: enough to pull it, and to know it again. */
import * as v from 'valibot'
import type { CatalogueEntry } from '#models/catalogue/schema.ts'
import { HUB, hubToken, withHubEndpoint } from './http-source.ts'
import { StoreError } from './store-error.ts'

/** `owner/repository/file.gguf`, the file maybe in a folder, with `@revision` at the end if not the newest. */
const REFERENCE = /^([\w.-]+)\/([\w.-]+)\/((?:[\w. -]+\/)*[\w. -]+\.gguf)(?:@([\w./-]+))?$/
const TIMEOUT_MS = 15_000
const repositorySchema = v.object({
  lastModified: v.optional(v.string()),
  cardData: v.optional(v.object({ license: v.optional(v.string()) })),
})

export const isHubReference = (text: string): boolean => REFERENCE.test(text)

/** The name of a model in the API, from that of its file: `Qwen2.5-0.5B-Instruct-Q4_0.gguf` → `qwen2.5-0.5b-instruct-q4-0` */
export function idOf(file: string): string {
  const stem = file.slice(file.lastIndexOf('/') + 1).replace(/\.gguf$/i, '')
  return stem
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
}

/**
 * The entry of a file on the hub, pinned to the revision that it has now; its context is not known yet.
 * @throws StoreError `no_source` if the hub does not have it, or does not answer
 */
export async function describeHubFile(reference: string): Promise<CatalogueEntry> {
  const [, owner = '', repository = '', file = '', revision = 'main'] = REFERENCE.exec(reference) ?? []
  const at = (commit: string) => `${HUB}/${owner}/${repository}/resolve/${commit}/${file}`
  const head = await ask(at(revision), { method: 'HEAD', redirect: 'manual' })
  const sha256 = head.headers.get('x-linked-etag')?.replaceAll('"', '') ?? ''
  const size = Number(head.headers.get('x-linked-size'))
  const commit = head.headers.get('x-repo-commit') ?? ''
  if (!/^[0-9a-f]{64}$/.test(sha256) || !(size > 0) || !/^[0-9a-f]{40}$/.test(commit)) {
    throw new StoreError('no_source', `The hub does not say what ${reference} is; is it a model file?`)
  }
  const response = await ask(`${HUB}/api/models/${owner}/${repository}/revision/${commit}`, {})
  const about = v.safeParse(repositorySchema, await response.json().catch(() => undefined))
  const modified = about.success ? Date.parse(about.output.lastModified ?? '') : Number.NaN
  return {
    id: idOf(file),
    task: 'chat',
    description: `${file} of ${owner}/${repository}`,
    publisher: owner,
    created: Number.isNaN(modified) ? 0 : Math.floor(modified / 1000),
    licence: {
      spdx: (about.success && about.output.cardData?.license) || 'LicenseRef-unknown',
      statedAt: `${HUB}/${owner}/${repository}`,
    },
    context: 1,
    file: { name: file.slice(file.lastIndexOf('/') + 1).replaceAll(' ', '_'), size, sha256 },
    sources: [{ kind: 'url', url: at(commit) }],
  }
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  let response: Response
  try {
    response = await fetch(withHubEndpoint(url), { ...init, headers: hubToken(url), signal })
  } catch (cause) {
    throw new StoreError('no_source', `The hub cannot be reached (${new URL(withHubEndpoint(url)).host}).`, { cause })
  }
  if (response.status < 400) return response
  const why = response.status === 401 || response.status === 403 ? '; a gated model needs HF_TOKEN' : ''
  throw new StoreError('no_source', `The hub answered ${response.status} for ${new URL(url).pathname.slice(1)}${why}.`)
}

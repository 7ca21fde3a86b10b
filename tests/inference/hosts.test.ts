/** Each model that ships with Tandem, and tiny ones of each family, wherever models run: the same numbers. */
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as v from 'valibot'
import { randomFrom } from '#edge/testing/random.ts'
import { sizeOf } from '#models/text/condition.ts'
import { type PublishedModel, publishedModelSchema } from '#protocol/published-model.ts'
import { assertClose } from './close.ts'
import { type BrowserHost, startBrowser } from './hosts/browser.ts'
import type { Host, Tensors } from './hosts/host.ts'
import { node } from './hosts/node.ts'
import { startWorkerd } from './hosts/workerd.ts'
import {
  COLUMNS,
  DECODER,
  DENOISER,
  decoder,
  ENCODER,
  fileOf,
  IMAGE_SCORER,
  LATENTS,
  ROW_SCORER,
  SIDE,
} from './models.ts'

const TOLERANCE = 1e-4
const ITEMS = 3
const BUNDLED = path.join(import.meta.dirname, '..', '..', 'models', 'bundled')

interface Case {
  readonly name: string
  readonly model: Uint8Array
  readonly inputs: Tensors
}

const random = randomFrom(17)
/** Between −1 and 1, or 0 and 1 for what is a picture. */
const tensor = (name: string, ...shape: number[]) => ({
  shape: [ITEMS, ...shape],
  data: Array.from({ length: ITEMS * shape.reduce((a, b) => a * b, 1) }, () =>
    Math.fround(name === 'images' || name === 'noisy' ? random() : 2 * random() - 1),
  ),
})
const inputs = (name: string, ...shape: number[]) => ({ [name]: tensor(name, ...shape) })

const tiny: readonly Case[] = [
  { name: 'a tiny encoder', model: ENCODER, inputs: inputs('images', 1, SIDE, SIDE) },
  { name: 'a tiny decoder', model: DECODER, inputs: inputs('latents', LATENTS) },
  { name: 'a tiny denoiser', model: DENOISER, inputs: inputs('noisy', 1, SIDE, SIDE) },
  { name: 'a tiny scorer of images', model: IMAGE_SCORER, inputs: inputs('images', 1, SIDE, SIDE) },
  { name: 'a tiny scorer of rows', model: ROW_SCORER, inputs: inputs('rows', COLUMNS.length) },
]

/** The files of those that ship, with what they take. */
async function bundled(): Promise<Case[]> {
  const found: Case[] = []
  for await (const name of glob('*/manifest.json', { cwd: BUNDLED })) {
    const manifest = v.parse(publishedModelSchema, JSON.parse(await readFile(path.join(BUNDLED, name), 'utf8')))
    const part = (file: string) => readFile(path.join(BUNDLED, path.dirname(name), `${file}.onnx`))
    found.push(...(await casesOf(manifest, part)))
  }
  return found
}

async function casesOf({ id, parts }: PublishedModel, part: (name: string) => Promise<Uint8Array>): Promise<Case[]> {
  const { input } = parts
  const images = input.kind === 'images' ? [input.channels, input.height, input.width] : []
  if (parts.family === 'denoiser') {
    return [{ name: `${id}'s denoiser`, model: await part('denoiser'), inputs: inputs('noisy', ...images) }]
  }
  const latents = inputs('latents', parts.latents)
  if (parts.family === 'gan') {
    const model = await part('generator')
    const condition = parts.conditions && inputs('condition', sizeOf(parts.conditions))
    return [{ name: `${id}'s generator`, model, inputs: { ...latents, ...condition } }]
  }
  const decoder = await part('decoder')
  const decode = { name: `${id}'s decoder`, model: decoder, inputs: latents }
  const prior = parts.family === 'vae' ? parts.prior : undefined
  const draw = prior && {
    name: `${id}'s prior`,
    model: await part('prior'),
    inputs: inputs('condition', sizeOf(prior.conditions)),
  }
  // Rows that the model itself makes are of its columns' sizes.
  const seen = input.kind === 'images' ? inputs('images', ...images) : await node.run(decoder, latents)
  const names = parts.family === 'autoencoder' ? ['encoder', 'scorer'] : ['encoder']
  const rest = names.map(async (name) => ({ name: `${id}'s ${name}`, model: await part(name), inputs: seen }))
  return [decode, ...(draw ? [draw] : []), ...(await Promise.all(rest))]
}

const ALTERED = decoder('altered')
const NO_MODEL = new TextEncoder().encode('no model')

const cases = [...tiny, ...(await bundled())]

function contract(start: () => Promise<Host>): void {
  let host: Host
  before(async () => {
    host = await start()
  })
  after(() => host[Symbol.asyncDispose]())

  for (const { name, model, inputs: given } of cases) {
    test(`${name} gives the same as on Node`, async () => {
      const [outputs, expected] = await Promise.all([host.run(model, given), node.run(model, given)])
      assert.deepEqual(Object.keys(outputs).sort(), Object.keys(expected).sort())
      for (const [output, { data, shape }] of Object.entries(expected)) {
        assert.deepEqual(outputs[output]?.shape, shape)
        assertClose(outputs[output]?.data ?? [], data, TOLERANCE)
      }
    })
  }
}

describe('models in workerd', () => contract(startWorkerd))

describe('models in a browser', () => {
  let browser: BrowserHost
  contract(async () => {
    browser = await startBrowser(
      new Map([
        ...tiny.map(({ model }) => [fileOf(model).sha256, model] as const),
        [fileOf(ALTERED).sha256, DECODER],
        [fileOf(NO_MODEL).sha256, NO_MODEL],
      ]),
    )
    return browser
  })

  test('are fetched once each, with one engine, and the security policy holds', async () => {
    const fetched = browser.requests.filter((address) => address.startsWith('/models/'))
    assert.equal(fetched.length, new Set(fetched).size)
    assert.ok(fetched.length > tiny.length)
    assert.equal(browser.requests.filter((address) => address.endsWith('.wasm')).length, 1)
    assert.deepEqual(browser.complaints, [])
    assert.equal(await browser.compiles(), false)
  })

  test('that cannot be run are said to be, and the next one runs', async () => {
    const hash = /could not be fetched, or is not what its hash says/
    await assert.rejects(browser.run(decoder('missing'), {}), hash)
    await assert.rejects(browser.run(ALTERED, {}), hash)
    await assert.rejects(browser.run(NO_MODEL, {}), /protobuf/)
    await assert.rejects(browser.run(DECODER, { pictures: { data: [1], shape: [1] } }), /latents/)
    for (const { model, inputs: given } of tiny) assert.ok(await browser.run(model, given))
  })
})

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { Runtime } from '../runtime/runtime.ts'
import type { ImageSet, RowSet } from './data/data-set.ts'
import { split } from './data/split.ts'
import { Random } from './random.ts'
import type { Task } from './task.ts'
import { denoiserTask } from './tasks/denoiser-task.ts'
import { type GanTaskOptions, ganTask } from './tasks/gan-task.ts'
import { imageAutoencoderTask } from './tasks/image-autoencoder-task.ts'
import { rowsTask } from './tasks/rows-task.ts'
import { vaeTask } from './tasks/vae-task.ts'
import { type TrainingEvent, type TrainingOptions, train } from './trainer.ts'

const ort = new Runtime({ threads: 2 })
const folder = mkdtempSync(path.join(tmpdir(), 'tandem-trainer-'))
const made = new DisposableStack()
after(() => {
  made.dispose()
  ort[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

/** Points near a curve in four dimensions. */
function rows(count: number): RowSet {
  const random = new Random(11)
  const values = new Float32Array(4 * count)
  for (let i = 0; i < count; i++) {
    const t = 2 * random.uniform() - 1
    values.set([t, t * t, Math.sin(3 * t), 5 + 2 * t], 4 * i)
  }
  return { kind: 'rows', count, columns: ['a', 'b', 'c', 'd'].map((name) => ({ name })), values }
}

const ROWS = { hidden: [8], latents: 2, noise: 0.1, batch: 16, epochs: 6, rate: 1e-2, alarms: 0.01, seed: 5 }
const rowTask = (options: Partial<typeof ROWS> = {}): Task =>
  rowsTask(ort, rows(200), split(200, 0.1, 5), { ...ROWS, ...options })

/** White squares somewhere on black. */
function squares(count: number): ImageSet {
  const random = new Random(12)
  const pixels = new Uint8Array(count * 64)
  for (let i = 0; i < count; i++) {
    const [x, y] = [Math.floor(5 * random.uniform()), Math.floor(5 * random.uniform())]
    for (let dy = 0; dy < 4; dy++) pixels.fill(255, i * 64 + (y + dy) * 8 + x, i * 64 + (y + dy) * 8 + x + 4)
  }
  return { kind: 'images', count, channels: 1, height: 8, width: 8, pixels }
}

const captioned = (count: number): ImageSet => ({
  ...squares(count),
  captions: Array.from({ length: count }, (_, i) => `square ${i}, white, box`),
})
const SQUARES = { latents: 4, hidden: [8], batch: 16, epochs: 8, rate: 5e-3, flips: true, seed: 5 }
type Options = Partial<typeof SQUARES>
const vae =
  (condition: 'none' | 'caption', options: Options = {}) =>
  () =>
    vaeTask(ort, captioned(64), split(64, 0.2, 5), { ...SQUARES, condition, beta: 1, ...options })
const gan = (options: Partial<GanTaskOptions> = {}) =>
  ganTask(ort, captioned(64), split(64, 0.2, 5), {
    ...SQUARES,
    epochs: 5,
    condition: 'caption',
    style: 'relativistic',
    augmented: true,
    matching: 1,
    ...options,
  })
const denoiser = (options: Options = {}) =>
  denoiserTask(ort, squares(64), split(64, 0.2, 5), { ...SQUARES, noise: 0.3, ...options })
const imageAutoencoder = (options: Options = {}) =>
  imageAutoencoderTask(ort, squares(64), split(64, 0.2, 5), {
    ...SQUARES,
    layers: 'dense',
    noise: 0.1,
    alarms: 0.1,
    ...options,
  })

async function trained(task: Task, options: Partial<TrainingOptions> = {}) {
  made.use(task)
  const events: TrainingEvent[] = []
  const { session, end } = await train(ort, task, {
    seed: 5,
    recipe: 'test',
    onEvent: (event) => events.push(event),
    ...options,
  })
  made.use(session)
  const state = new Map(session.stateNames.map((name) => [name, session.state(name).slice()]))
  return { session, end, events, state }
}

for (const [name, make] of [
  ['an autoencoder', () => rowTask()],
  ['an autoencoder of images', () => imageAutoencoder()],
  ['a denoiser', () => denoiser()],
  ['a VAE', vae('none')],
  ['a VAE with conditions', vae('caption')],
  ['a GAN', () => gan()],
] as const) {
  test(`${name} that was stopped at any step goes on to the same bits`, async () => {
    const whole = await trained(make())
    assert.equal(whole.end, 'done')
    for (const stopAt of [1, 7, 13]) {
      const checkpoint = path.join(folder, `${name}-${stopAt}`)
      const stopping = new AbortController()
      let steps = 0
      const task = make()
      const { feed } = task
      const counted = {
        ...task,
        feed(...args: Parameters<Task['feed']>) {
          if (++steps === stopAt) stopping.abort()
          feed(...args)
        },
      }
      const half = await trained(counted, { checkpoint, signal: stopping.signal })
      assert.equal(half.end, 'stopped')
      const rest = await trained(make(), { checkpoint })
      assert.equal(rest.end, 'done')
      assert.deepEqual(rest.state, whole.state, `stopped after ${stopAt}`)
    }
  })
}

test('what is told: progress each second, validation each epoch, losses that fall', async () => {
  let now = 0
  const { events } = await trained(rowTask(), { now: () => (now += 100) })
  const validations = events.filter((event) => event.type === 'validation')
  assert.deepEqual(
    validations.map(({ epoch }) => epoch),
    [1, 2, 3, 4, 5, 6],
  )
  const losses = validations.map(({ metrics }) => metrics.loss ?? Number.NaN)
  assert.ok((losses.at(-1) ?? 1) < 0.3 * (losses[0] ?? 0), `${losses}`)
  const progress = events.filter((event) => event.type === 'progress')
  assert.ok(progress.length > 3)
  const last = progress.at(-1)
  assert.deepEqual([last?.step, last?.steps, last?.secondsLeft], [66, 66, 0])
})

test('enough is enough: the weights are those of the best validation', async () => {
  const task = rowTask({ epochs: 40 })
  const measured = [5, 4, 3, 6, 7, 8, 9, 9, 9]
  let i = 0
  const weights: Float32Array[] = []
  const scripted: Task = {
    ...task,
    validate(session) {
      weights.push(session.state('autoencoder.weights').slice())
      return { loss: measured[i++] ?? 9 }
    },
  }
  const { end, state } = await trained(scripted, { patience: 2 })
  assert.equal(end, 'early')
  assert.ok(i < 8)
  assert.deepEqual(state.get('autoencoder.weights'), weights[2])
})

test('training that diverges ends with the reason, and its last checkpoint stays', async () => {
  const checkpoint = path.join(folder, 'diverging')
  await trained(rowTask({ epochs: 1 }), { checkpoint, signal: AbortSignal.abort() })
  const before = readFileSync(checkpoint)
  const task = rowTask()
  const rate = { ...task, rate: (step: number) => (step > 3 ? 1e30 : 1e-3) }
  await assert.rejects(trained(rate, { checkpoint }), {
    name: 'DivergenceError',
    message: /^Training ended at step \d: loss is (NaN|Infinity)\.$/,
  })
  assert.deepEqual(readFileSync(checkpoint), before)
  await assert.rejects(trained({ ...rowTask(), collapse: () => 'all images are the same.' }), /all images are the same/)
})

test('weights that are no numbers are not kept', async () => {
  const checkpoint = path.join(folder, 'spoilt')
  const stopping = new AbortController()
  const task = rowTask()
  const spoilt: Task = {
    ...task,
    rate(step) {
      if (step === 2) stopping.abort()
      return step === 2 ? Number.NaN : 1e-3
    },
  }
  await assert.rejects(trained(spoilt, { checkpoint, signal: stopping.signal }), {
    name: 'DivergenceError',
    message: /^Training ended at step 2: autoencoder.weights has elements that are no numbers/,
  })
  assert.equal(existsSync(checkpoint), false)
})

test('a generator that draws one image whatever it is given has collapsed', async () => {
  const task = gan({ condition: 'none', matching: 0, epochs: 1 })
  const { session } = await trained(task)
  assert.equal(task.collapse?.(session, 1), undefined)
  session.state('generator.average').fill(0)
  assert.match(
    task.collapse?.(session, 1_000) ?? '',
    /^the images that are drawn are nearly the same: their variance is/,
  )
  assert.equal(task.collapse?.(session, 499), undefined)
})

test('samples are told as training goes on, a dozen sheets at most', async () => {
  for (const [task, columns, rows] of [
    [imageAutoencoder({ epochs: 2 }), 13, 3],
    [denoiser({ epochs: 2 }), 13, 3],
    [vae('caption', { epochs: 2 })(), 13, 3],
    [gan({ epochs: 2 }), 8, 7],
  ] as const) {
    const { events } = await trained(task)
    const sheets = events.filter((event) => event.type === 'samples')
    assert.equal(sheets.length, 2)
    const last = sheets.at(-1)?.samples
    assert.deepEqual([last?.width, last?.height, last?.channels], [8 * columns, 8 * rows, 1])
    assert.equal(last?.pixels.length, 64 * columns * rows)
    assert.notDeepEqual(last?.pixels, sheets[0]?.samples.pixels)
  }
  const { events } = await trained(imageAutoencoder({ epochs: 26 }))
  assert.deepEqual(
    events.filter((event) => event.type === 'samples').map(({ step }) => step / 3),
    [3, 6, 9, 12, 15, 18, 21, 24, 26],
  )
})

test('a checkpoint of another recipe, or one that is damaged, is refused', async () => {
  const checkpoint = path.join(folder, 'refused')
  await trained(rowTask(), { checkpoint, signal: AbortSignal.abort() })
  await assert.rejects(trained(rowTask(), { checkpoint, recipe: 'other' }), /is of another recipe/)
  const bytes = readFileSync(checkpoint)
  writeFileSync(checkpoint, bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1))
  await assert.rejects(trained(rowTask(), { checkpoint }), { name: 'CheckpointError', message: /is damaged$/ })
  writeFileSync(checkpoint, 'nothing of the kind')
  await assert.rejects(trained(rowTask(), { checkpoint }), { name: 'CheckpointError', message: /is not a checkpoint$/ })
})

test('a model is published with a threshold that validation data seldom passes', async () => {
  const task = rowTask({ epochs: 30 })
  const { session } = await trained(task)
  const { parts, files, metrics } = task.publish(session, ort)
  assert.equal(parts.family, 'autoencoder')
  if (parts.family !== 'autoencoder') return
  assert.equal(files.length, 3)
  assert.ok((metrics.loss ?? 1) < 0.05)
  assert.equal(parts.quantiles.length, 101)
  assert.deepEqual(
    parts.quantiles,
    parts.quantiles.toSorted((a, b) => a - b),
  )
  assert.ok(parts.threshold > (parts.quantiles[95] ?? 0) && parts.threshold <= (parts.quantiles[100] ?? 0))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { UNSUPPORTED } from './text.ts'
import { jobCreateSchema, type TrainingMethod, trainingMethodSchema } from './training.ts'

const problem = (schema: v.GenericSchema, value: unknown): string => {
  const { issues, success } = v.safeParse(schema, value)
  assert.ok(!success, JSON.stringify(value))
  return `${v.getDotPath(issues[0])}: ${issues[0].message}`
}

test('what a method is not told is left to the data', () => {
  const { type }: TrainingMethod = v.parse(trainingMethodSchema, { type: 'gan' })
  assert.equal(type, 'gan')
  assert.deepEqual(v.parse(trainingMethodSchema, { type: 'vae', vae: { hyperparameters: { latents: 16 } } }), {
    type: 'vae',
    vae: {
      hyperparameters: {
        n_epochs: 'auto',
        batch_size: 'auto',
        learning_rate_multiplier: 'auto',
        image_size: 'auto',
        channels: 'auto',
        latents: 16,
        condition: 'auto',
        beta: 'auto',
      },
    },
  })
})

test('a method says what it does not take', () => {
  assert.match(problem(trainingMethodSchema, { type: 'supervised' }), new RegExp(UNSUPPORTED))
  assert.match(problem(trainingMethodSchema, { type: 'vae', gan: {} }), /^gan:/)
  for (const [name, value] of [
    ['image_size', 33],
    ['latents', 1],
    ['latents', 1.5],
    ['n_epochs', 0],
    ['learning_rate_multiplier', Number.NaN],
    ['learning_rate_multiplier', 0],
    ['beta', '1'],
    ['condition', 'text'],
    ['none', 1],
  ] as const) {
    const method = { type: 'vae', vae: { hyperparameters: { [name]: value } } }
    assert.match(problem(trainingMethodSchema, method), new RegExp(`^vae.hyperparameters.${name}:`), name)
  }
})

test('a job names its files by their ids', () => {
  const job = { model: 'vae', training_file: 'file-abc', method: { type: 'vae' } }
  assert.equal(v.parse(jobCreateSchema, job).training_file, 'file-abc')
  assert.match(problem(jobCreateSchema, { ...job, training_file: '../file-abc' }), /^training_file:/)
  assert.match(problem(jobCreateSchema, { ...job, suffix: 'a:b' }), /^suffix:/)
  assert.match(problem(jobCreateSchema, { ...job, hyperparameters: { n_epochs: 1 } }), new RegExp(UNSUPPORTED))
})

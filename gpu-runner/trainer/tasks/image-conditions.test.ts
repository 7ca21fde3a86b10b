import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conditionOf } from '#models/text/condition.ts'
import type { ImageSet } from '../data/data-set.ts'
import { Random } from '../random.ts'
import { imageConditions } from './image-conditions.ts'

const images: ImageSet = {
  kind: 'images',
  count: 3,
  channels: 1,
  height: 1,
  width: 1,
  pixels: new Uint8Array(3),
  labels: Int32Array.of(1, 0, 1),
  classes: ['cat', 'dog'],
  captions: ['red heart, love, emotion', 'dog', 'black cat, pet'],
}

test('what training tells a model is what a prompt becomes', () => {
  for (const [kind, prompts] of [
    ['class', ['dog', 'cat', 'dog']],
    ['caption', images.captions ?? []],
  ] as const) {
    const conditions = imageConditions(images, kind)
    assert.ok(conditions)
    const { size } = conditions
    const told = new Float32Array(3 * size)
    conditions.fill(told, [0, 1, 2])
    for (const [i, prompt] of prompts.entries()) {
      assert.deepEqual(told.subarray(i * size, (i + 1) * size), conditionOf(conditions.conditions, prompt, 0))
    }
  }
  assert.equal(imageConditions(images, 'none'), undefined)
})

test('training sometimes tells nothing, the name alone, or something of the rest', () => {
  const conditions = imageConditions(images, 'caption')
  assert.ok(conditions)
  const told = new Float32Array(conditions.size)
  const vectors = new Map<string, number>()
  const names = ['', 'red heart', 'red heart, love', 'red heart, emotion', 'red heart, love, emotion']
  const others = ['love', 'emotion', 'love, emotion']
  const known = new Map(
    [...names, ...others].map((text) => [String(conditionOf(conditions.conditions, text, 0)), text]),
  )
  for (let i = 0; i < 2_000; i++) {
    const named: Float32Array = conditions.draw(told, [0], new Random(1, i))
    const text = known.get(String(told))
    assert.notEqual(text, undefined)
    assert.equal(named[0], Number(text?.startsWith('red heart')))
    vectors.set(text ?? '', (vectors.get(text ?? '') ?? 0) + 1)
  }
  assert.equal(vectors.size, 8)
  const share = (text: string) => (vectors.get(text) ?? 0) / 2_000
  assert.ok(Math.abs(share('') - 0.1) < 0.03)
  // Half of the time by itself, and when nothing of the rest is chosen.
  assert.ok(Math.abs(share('red heart') - 0.9 * (0.5 + 0.5 * 0.25)) < 0.04)
})

test('a text stands for several pictures: they are told as their kin now and then, by the rarest of what is common', () => {
  const many = Array.from({ length: 20 }, (_, i) => `fish ${i}, animal`)
  const captions = ['red heart, love', 'blue heart, love', 'kiss, love, face', 'cat, animal', 'letter, love', ...many]
  const all = { ...images, count: captions.length, captions }
  const conditions = imageConditions(all, 'caption', { kinAmong: [0, 1, 2, 3, ...many.map((_, i) => 5 + i)] })
  assert.ok(conditions)
  const told = new Float32Array(conditions.size)
  const shares = (item: number) => {
    const found = new Map<string, number>()
    const texts = captions.map((caption) => caption.split(',')[0] ?? '')
    for (let i = 0; i < 4_000; i++) {
      conditions.draw(told, [item], new Random(2, i))
      const name = texts.find((text) => String(conditionOf(conditions.conditions, text, 0)) === String(told)) ?? 'other'
      found.set(name, (found.get(name) ?? 0) + 1)
    }
    return found
  }
  const heart = shares(0)
  const [own, blue, kiss] = ['red heart', 'blue heart', 'kiss'].map((name) => heart.get(name) ?? 0)
  // Told by name alone: half of the time, and of the rest when the one keyword was not chosen.
  assert.ok(Math.abs((own ?? 0) / 4_000 - 0.9 * 0.7 * 0.75) < 0.03, `${own}`)
  for (const count of [blue, kiss]) assert.ok((count ?? 0) > 300, `${count}`)
  assert.ok(Math.abs((blue ?? 0) / ((blue ?? 0) + (kiss ?? 0)) - 0.545) < 0.06, `${blue} ${kiss}`)
  // Not one that is validated on, and none of those that have too little in common.
  assert.equal(heart.get('letter'), undefined)
  assert.deepEqual(
    [...shares(3).keys()].filter((name) => name.startsWith('fish')),
    [],
  )
})

test('images without classes or captions are refused', () => {
  const { classes: _, labels: __, captions: ___, ...bare } = images
  assert.throws(() => imageConditions(bare, 'class'), { name: 'DataSetError', message: /have no classes/ })
  assert.throws(() => imageConditions(bare, 'caption'), { name: 'DataSetError', message: /have no captions/ })
  const many = { ...images, classes: Array.from({ length: 1_001 }, (_, i) => `${i}`) }
  assert.throws(() => imageConditions(many, 'class'), {
    name: 'DataSetError',
    message: /1001 classes, the limit is 1000/,
  })
})

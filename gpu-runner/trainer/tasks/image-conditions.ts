/** What images are told to be, as the vectors that models are trained with and asked by (models/text/condition.ts). */
import type * as v from 'valibot'
import { hashedWords } from '#models/text/hashed-words.ts'
import type { conditionsSchema } from '#protocol/published-model.ts'
import type { ImageSet } from '../data/data-set.ts'
import { DataSetError } from '../data/data-set-error.ts'
import type { Random } from '../random.ts'

/** Length of a text's vector. */
const TEXT_SIZE = 512
/** Share of images that training tells nothing of, so that nothing can be asked for. */
const UNTOLD = 0.1
/** Of those with several words: how often only the first, the name, is told. */
const NAME_ALONE = 0.5
/** Of a model; protocol/published-model.ts. */
const MOST_CLASSES = 1_000
/** Vectors of texts that are kept. */
const MOST_KEPT = 8_192

export type ConditionKind = 'none' | 'class' | 'caption'

export interface ImageConditions {
  readonly conditions: v.InferOutput<typeof conditionsSchema>
  readonly size: number
  /** Writes what images are, [items, size]. */
  fill(target: Float32Array, items: ArrayLike<number>): void
  /**
   * The same as training tells it: sometimes nothing, and of a caption's parts between commas the first or some of them.
   * @returns for each item 1 if it was called by its name, else 0
   */
  draw(target: Float32Array, items: ArrayLike<number>, random: Random): Float32Array
}

/** @throws DataSetError if the images have no classes, or no captions */
export function imageConditions(images: ImageSet, kind: ConditionKind): ImageConditions | undefined {
  if (kind === 'none') return undefined
  return kind === 'class' ? byClass(images) : byCaption(images)
}

function byClass({ labels, classes }: ImageSet): ImageConditions {
  if (!labels || !classes) {
    throw new DataSetError('too_few', 'The images have no classes: put those of each class in a folder of their own.')
  }
  const size = classes.length
  if (size > MOST_CLASSES) {
    throw new DataSetError('too_large', `The images have ${size} classes, the limit is ${MOST_CLASSES}.`)
  }
  const set = (target: Float32Array, items: ArrayLike<number>, isTold: () => boolean) => {
    target.fill(0)
    return Float32Array.from({ length: items.length }, (_, i) => {
      if (!isTold()) return 0
      target[i * size + (labels[items[i] ?? 0] ?? 0)] = 1
      return 1
    })
  }
  return {
    conditions: { kind: 'classes', names: [...classes] },
    size,
    fill: (target, items) => void set(target, items, () => true),
    draw: (target, items, random) => set(target, items, () => random.uniform() >= UNTOLD),
  }
}

function byCaption({ captions }: ImageSet): ImageConditions {
  if (!captions) throw new DataSetError('bad_caption', 'The images have no captions: add a metadata.jsonl with them.')
  const parts = captions.map((caption) => caption.split(',').map((part) => part.trim()))
  const known = new Map<string, Float32Array>()
  const vectorOf = (text: string) => {
    const before = known.get(text)
    if (before) return before
    if (known.size >= MOST_KEPT) known.clear()
    const vector = hashedWords(text, TEXT_SIZE)
    known.set(text, vector)
    return vector
  }
  return {
    conditions: { kind: 'text', size: TEXT_SIZE },
    size: TEXT_SIZE,
    fill(target, items) {
      for (let i = 0; i < items.length; i++) target.set(vectorOf(captions[items[i] ?? 0] ?? ''), i * TEXT_SIZE)
    },
    draw(target, items, random) {
      return Float32Array.from({ length: items.length }, (_, i) => {
        const [name = '', ...rest] = parts[items[i] ?? 0] ?? []
        const isUntold = random.uniform() < UNTOLD
        const isAlone = random.uniform() < NAME_ALONE
        const chosen = rest.filter(() => !isAlone && random.uniform() < 0.5)
        // Some are called by what they have in common with others alone.
        const isNamed = isAlone || chosen.length === 0 || random.uniform() < 0.5
        const told = isUntold ? '' : [...(isNamed ? [name] : []), ...chosen].join(', ')
        target.set(vectorOf(told), i * TEXT_SIZE)
        return isUntold || !isNamed ? 0 : 1
      })
    },
  }
}

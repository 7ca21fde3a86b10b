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
/** Share of images that are told by the caption of one of their kin. */
const AS_KIN = 0.3
/** Images that a keyword makes kin: more have too little in common. */
const MOST_OF_A_KIND = 8
/** Kin of an image: of more, drawings would be means. */
const MOST_KIN = 3
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
   * @returns for each item 1 if it was called by its name, or its kin's, else 0
   */
  draw(target: Float32Array, items: ArrayLike<number>, random: Random): Float32Array
}

export interface CaptionOptions {
  /**
   * Images that are told now and then as another of them that a rare keyword is common to, so that one text stands for
   * several pictures; without it each is told as itself.
   */
  readonly kinAmong?: ArrayLike<number>
}

/** @throws DataSetError if the images have no classes, or no captions */
export function imageConditions(
  images: ImageSet,
  kind: ConditionKind,
  options: CaptionOptions = {},
): ImageConditions | undefined {
  if (kind === 'none') return undefined
  return kind === 'class' ? byClass(images) : byCaption(images, options)
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

function byCaption({ captions }: ImageSet, { kinAmong = [] }: CaptionOptions): ImageConditions {
  if (!captions) throw new DataSetError('bad_caption', 'The images have no captions: add a metadata.jsonl with them.')
  const parts = captions.map((caption) => caption.split(',').map((part) => part.trim()))
  const kin = kinOf(parts, kinAmong)
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
        const item = items[i] ?? 0
        const others = kin.get(item) ?? []
        const isKin = others.length > 0 && random.uniform() < AS_KIN
        const told = isKin ? others[Math.floor(others.length * random.uniform())] : item
        const [name = '', ...rest] = parts[told ?? item] ?? []
        const isUntold = random.uniform() < UNTOLD
        const isAlone = random.uniform() < NAME_ALONE
        const chosen = rest.filter(() => !isAlone && random.uniform() < 0.5)
        // Some are called by what they have in common with others alone.
        const isNamed = isAlone || chosen.length === 0 || random.uniform() < 0.5
        const text = isUntold ? '' : [...(isNamed ? [name] : []), ...chosen].join(', ')
        target.set(vectorOf(text), i * TEXT_SIZE)
        return isUntold || !isNamed ? 0 : 1
      })
    },
  }
}

/** Of each item, others that have a part of their captions in common with it, those with the rarest first. */
function kinOf(
  parts: readonly (readonly string[])[],
  items: ArrayLike<number>,
): ReadonlyMap<number, readonly number[]> {
  const kinds = new Map<string, number[]>()
  for (const item of Array.from(items)) {
    for (const part of new Set(parts[item])) {
      const kind = kinds.get(part)
      if (kind) kind.push(item)
      else kinds.set(part, [item])
    }
  }
  return new Map(
    Array.from(items, (item) => {
      const own = [...new Set(parts[item])].map((part) => kinds.get(part) ?? [])
      const kin = new Set<number>()
      for (const kind of own.sort((a, b) => a.length - b.length)) {
        if (kind.length > MOST_OF_A_KIND) break
        for (const other of kind) if (other !== item && kin.size < MOST_KIN) kin.add(other)
      }
      return [item, [...kin]]
    }),
  )
}

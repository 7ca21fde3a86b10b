/** Training a model that translates. */
import type { TranslationConfig } from '#models/architectures/translation.ts'
import { trapezoidAt } from '#models/autodiff/schedules.ts'
import { END, translationPieces } from '#models/tokenizer/translation-tokenizer.ts'
import { PLACEHOLDERS } from '#protocol/translation.ts'
import { tokenizerOf } from '../../pipelines/translation/stored-model.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { PairSet, SentencePair } from '../data/data-set.ts'
import { DataSetError } from '../data/data-set-error.ts'
import { fits, type PackedPair, pack } from '../data/packing.ts'
import { shares, type Split } from '../data/split.ts'
import { EvaluationSession } from '../evaluation-session.ts'
import { type BatchShape, translationEvaluation, translationPlan } from '../plans/translation-plan.ts'
import { Random } from '../random.ts'
import type { Metrics, Task } from '../task.ts'
import type { TrainingSession } from '../training-session.ts'
import { renumbered, withPlaceholders } from './placeholders.ts'
import { publishedTranslation, translationScores } from './published-translation.ts'
import { rehearse } from './rehearsal.ts'
import type { TranslationBase } from './translation-base.ts'
import { fillKept, fillLines } from './translation-lines.ts'

export interface TranslationTaskOptions extends Omit<TranslationConfig, 'positions'> {
  /** Tokens of a line of translations; a pair that is longer is left out. */
  readonly length: number
  /** Lines of a batch. */
  readonly batch: number
  readonly epochs: number
  readonly rate: number
  /** Steps of a straight line up to the rate. */
  readonly warmup: number
  readonly smoothing: number
  readonly dropout: number
  /** Share of the pairs with spans that are the same on both sides in which these are placeholders. */
  readonly placeholders: number
  /** Of a model that is tuned: pairs of what it knew, for each that it learns. */
  readonly rehearsal?: number | undefined
  readonly seed: number
}

/** Of the plan. */
const NETWORK = 'translator'
const CLIP = 1
/** What is published is the weights' moving average, over about this share of all steps: 1 / AVERAGED. */
const AVERAGED = 20
/** Share of the steps in which the rate goes down. */
const DECAY = 0.3
/** Pairs of the validation part that are translated at each validation. */
const MEASURED = 200
/** Of pairs that get placeholders and have marks of formats: the share in which these are what is replaced. */
const MARKED = 0.7
/** Lengths of lines are multiples of it. */
const STEP = 8

/** @param base what it goes on from: its vocabulary, its shape and the lengths of its sentences stay, and it begins with its weights */
export function translationTask(
  ort: Runtime,
  pairs: PairSet,
  parts: Split,
  options: TranslationTaskOptions,
  base?: TranslationBase,
): Task {
  const { batch, epochs, rate, warmup, smoothing, dropout, placeholders, seed } = options
  const trained = pairsOf(pairs, parts.training)
  const marked = Array.from(parts.training, (i) => pairs.marked?.get(i))
  const once = shares(pairs.once ?? [], epochs, seed)
  const rehearsal = base && rehearse(ort, base, { each: eachOf(options, trained), epochs, random: new Random(seed, 7) })
  /** Of an epoch, beside what is in each. */
  const besides = (epoch: number) => [...(once[epoch] ?? []), ...(rehearsal?.of(epoch) ?? [])]
  const texts = textsOf([...trained, ...(pairs.once ?? [])])
  const pieces = base?.pieces ?? translationPieces(texts, options.vocabulary, PLACEHOLDERS)
  const tokenizer = tokenizerOf(pieces)
  const encoded = ({ source, target }: SentencePair): PackedPair => ({
    source: [...tokenizer.encode(source), END],
    target: [...tokenizer.encode(target), END],
  })
  const plain = trained.map(encoded)
  const lengths = base
    ? { source: base.parts.sourceLength, target: base.parts.targetLength }
    : lineLengths(plain, options.length)
  const usable = pairsOf(pairs, parts.validation)
    .map(encoded)
    .filter((pair) => fits(pair, lengths))
  /** Of an epoch, from 0, in its order. */
  const linesOf = (epoch: number) => {
    const random = new Random(seed, 3, epoch)
    const others = besides(epoch)
    const count = trained.length + others.length
    const order = random.shuffle(Uint32Array.from({ length: count }, (_, i) => i))
    const drawn = Array.from(order, (i) => {
      const pair = others[i - trained.length] ?? (trained[i] as SentencePair)
      const marks = marked[i]
      if (random.uniform() >= placeholders) return plain[i] ?? encoded(pair)
      if (marks && random.uniform() < MARKED) return encoded(renumbered(marks, random))
      const other = withPlaceholders(pair, random)
      return other ? encoded(other) : (plain[i] ?? encoded(pair))
    })
    return pack(
      drawn.filter((pair) => fits(pair, lengths)),
      lengths,
    )
  }
  let current = { epoch: 0, lines: linesOf(0) }
  const stepsPerEpoch = Math.floor(current.lines.length / batch)
  if (stepsPerEpoch === 0 || usable.length === 0) {
    throw new DataSetError(
      'too_few',
      `The data set has too few pairs of sentences for a batch of ${batch} lines of ${lengths.target} tokens.`,
    )
  }
  const steps = epochs * stepsPerEpoch
  const config: TranslationConfig = base?.config ?? {
    ...options,
    vocabulary: tokenizer.size,
    positions: Math.max(lengths.source, lengths.target),
  }
  const shape: BatchShape = { lines: batch, sourceLength: lengths.source, targetLength: lengths.target }
  const plan = translationPlan(config, {
    ...shape,
    smoothing,
    dropout,
    clip: CLIP,
    averaging: Math.max(0, 1 - AVERAGED / steps),
  })
  const evaluation = new EvaluationSession(ort, translationEvaluation(config, shape, plan))
  const validated = pack(usable, lengths)
  const publishedOf = (session: TrainingSession) =>
    publishedTranslation(session.weights(NETWORK, { averaged: true }), {
      config,
      pieces,
      languages: pairs.languages,
      sourceLength: lengths.source,
      targetLength: lengths.target,
    })
  return {
    plan,
    ...(base && { begin: (session: TrainingSession) => session.load(NETWORK, base.checkpoint) }),
    steps,
    stepsPerEpoch,
    rate: (step) => trapezoidAt({ rate, warmup, decay: DECAY }, step, steps),
    feed(inputs, step) {
      const epoch = Math.floor((step - 1) / stepsPerEpoch)
      if (epoch !== current.epoch) current = { epoch, lines: linesOf(epoch) }
      const { lines } = current
      const first = ((step - 1) % stepsPerEpoch) * batch
      // An epoch whose placeholders made it a little shorter begins again.
      const taken = Array.from({ length: batch }, (_, i) => lines[(first + i) % lines.length] ?? [])
      fillLines(inputs, shape, taken)
      if (dropout > 0) fillKept(inputs, config, dropout, new Random(seed, 4), new Random(seed, 5, step))
    },
    validate(session): Metrics {
      let [sum, tokens] = [0, 0]
      for (let at = 0; at < validated.length; at += batch) {
        tokens += fillLines(evaluation.inputs, shape, validated.slice(at, at + batch), 1)
        sum += evaluation.run(session).loss ?? Number.NaN
      }
      const some = pairsOf(pairs, parts.validation.subarray(0, MEASURED))
      return { loss: sum / tokens, ...translationScores(ort, publishedOf(session), some, { beam: 1 }) }
    },
    publish(session) {
      const { files, ...model } = publishedOf(session)
      const some = pairsOf(pairs, parts.validation)
      const metrics = translationScores(ort, { files, ...model }, some, { beam: 4 })
      return { parts: model.parts, files, metrics: { ...metrics, ...(base && before(ort, base, some)) } }
    },
    [Symbol.dispose]: () => evaluation[Symbol.dispose](),
  }
}

/** Some of a set. */
export const pairsOf = ({ source, target }: PairSet, items: Uint32Array): readonly SentencePair[] =>
  Array.from(items, (i) => ({ source: source[i] ?? '', target: target[i] ?? '' }))

const eachOf = ({ rehearsal = 0 }: TranslationTaskOptions, trained: readonly SentencePair[]): number =>
  Math.ceil(rehearsal * trained.length)

const textsOf = (pairs: readonly SentencePair[]): readonly string[] =>
  pairs.flatMap(({ source, target }) => [source, target])

/** How the model translated that this one goes on from. */
function before(ort: Runtime, { parts, files }: TranslationBase, pairs: readonly SentencePair[]): Metrics {
  const { vocabulary, encoder, decoder } = files
  const { bleu, chrf } = translationScores(ort, { parts, files: [vocabulary, encoder, decoder] }, pairs, { beam: 4 })
  return { bleu_before: bleu ?? Number.NaN, chrf_before: chrf ?? Number.NaN }
}

/** Of lines that are full on both sides at about the same time. */
function lineLengths(pairs: readonly PackedPair[], target: number) {
  const tokens = (which: 'source' | 'target') => pairs.reduce((sum, pair) => sum + pair[which].length, 0)
  const source = (target * tokens('source')) / tokens('target')
  return { source: STEP * Math.ceil((1.02 * source) / STEP), target }
}

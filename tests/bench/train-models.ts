/** The models whose training `npm run bench:train` measures, and what they are fed: the same on both sides. */
import { autoencoderPlan } from '#gpu-runner/trainer/plans/autoencoder-plan.ts'
import { ganPlan } from '#gpu-runner/trainer/plans/gan-plan.ts'
import { gptPlan } from '#gpu-runner/trainer/plans/gpt-plan.ts'
import { llamaLoraPlan } from '#gpu-runner/trainer/plans/llama-lora-plan.ts'
import { translationPlan } from '#gpu-runner/trainer/plans/translation-plan.ts'
import { vaePlan } from '#gpu-runner/trainer/plans/vae-plan.ts'
import type { StepPlan } from '#gpu-runner/trainer/step-builder.ts'
import { MATRICES } from '#models/architectures/llama-lora.ts'

export interface TrainedModel {
  readonly plan: () => StepPlan
  readonly rate: number
  /** The element of an input at an index. */
  readonly feed: Readonly<Record<string, (index: number) => number>>
}

const sine = (scale: number, offset: number, pace: number) => (i: number) => offset + scale * Math.sin(pace * i)
const tokens = (vocabulary: number) => ({
  ids: (i: number) => (i * 7919) % vocabulary,
  next: (i: number) => ((i + 1) * 7919) % vocabulary,
})
/** SmolLM2-135M's shape (arXiv:2502.02737), with adapters of rank 8 beside each matrix. */
const lora = (batch: number, length: number) => ({
  plan: () =>
    llamaLoraPlan(
      {
        layers: 30,
        hiddenSize: 576,
        heads: 9,
        kvHeads: 3,
        headDim: 64,
        ffnSize: 1536,
        vocabularySize: 49_152,
        normEpsilon: 1e-5,
        ropeBase: 100_000,
        adapted: MATRICES,
        rank: 8,
        alpha: 16,
      },
      { batch, length, clip: 1 },
    ),
  rate: 1e-3,
  feed: tokens(49_152),
})
const image = { channels: 3, height: 32, width: 32 }

export const TRAINED_MODELS = {
  vae: {
    plan: () => vaePlan({ ...image, latents: 64, hidden: [32, 64, 128] }, { batch: 64, beta: 1 }),
    rate: 1e-3,
    feed: { images: sine(0.5, 0.5, 0.11), noise: sine(1, 0, 1.7) },
  },
  dcgan: {
    plan: () =>
      ganPlan({ ...image, latents: 100, condition: 0, hidden: [256, 128, 64] }, { batch: 64, style: 'dcgan' }),
    rate: 2e-4,
    feed: { images: sine(1, 0, 0.11), latents: sine(1, 0, 1.7) },
  },
  autoencoder: {
    plan: () => autoencoderPlan({ columns: 784, latents: 16, hidden: [512, 128], output: 'sigmoid' }, { batch: 256 }),
    rate: 1e-3,
    feed: { rows: sine(0.5, 0.5, 0.11), clean: sine(0.5, 0.5, 0.11) },
  },
  gpt: {
    plan: () =>
      gptPlan(
        { vocabulary: 4096, context: 256, width: 256, heads: 8, layers: 6 },
        { batch: 16, weightDecay: 0, clip: 1 },
      ),
    rate: 1e-3,
    feed: tokens(4096),
  },
  translation: {
    plan: () =>
      translationPlan(
        {
          ...{ vocabulary: 8000, width: 256, heads: 4, hidden: 1024, encoderLayers: 4, decoderLayers: 4 },
          positions: 128,
        },
        {
          ...{ lines: 8, sourceLength: 104, targetLength: 128 },
          ...{ smoothing: 0.1, dropout: 0, clip: 1, averaging: 0.99 },
        },
      ),
    rate: 1e-3,
    // Four sentences a line.
    feed: {
      'source.ids': (i) => (i * 7919) % 8000,
      'source.places': (i) => i % 26,
      'source.sentences': (i) => Math.floor((i % 104) / 26),
      'target.ids': (i) => (i * 7907) % 8000,
      'target.places': (i) => i % 32,
      'target.sentences': (i) => Math.floor((i % 128) / 32),
      next: (i) => ((i + 1) * 7907) % 8000,
      weights: () => 1 / 1024,
    },
  },
  'lora-1x512': lora(1, 512),
  'lora-4x256': lora(4, 256),
} as const satisfies Record<string, TrainedModel>

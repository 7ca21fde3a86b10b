/** Models that were trained here: what they take, what they are good for, and what is known of them. */
import * as v from 'valibot'
import type { Http } from './http.ts'

const inputSchema = v.variant('kind', [
  v.object({ kind: v.literal('images'), channels: v.number(), height: v.number(), width: v.number() }),
  v.object({ kind: v.literal('rows'), columns: v.array(v.object({ name: v.string() })) }),
])
export type ModelInput = v.InferOutput<typeof inputSchema>
export type ImageInput = Extract<ModelInput, { kind: 'images' }>

const cardSchema = v.object({
  description: v.string(),
  data: v.string(),
  licence: v.string(),
  metrics: v.record(v.string(), v.number()),
  recipe: v.record(v.string(), v.unknown()),
})

const trainedModelSchema = v.object({
  id: v.string(),
  owned_by: v.string(),
  task: v.picklist(['vae', 'autoencoder', 'denoiser', 'gan']),
  created: v.number(),
  device: v.string(),
  input: inputSchema,
  latents: v.optional(v.number()),
  /** What it can be asked to make. */
  conditions: v.optional(
    v.union([
      v.object({ kind: v.literal('classes'), names: v.array(v.string()) }),
      v.object({ kind: v.literal('text') }),
    ]),
  ),
  /** What a browser may decode with. */
  decoder: v.optional(v.object({ sha256: v.string(), bytes: v.number() })),
  card: cardSchema,
})
export type TrainedModel = v.InferOutput<typeof trainedModelSchema>

const chatModelSchema = v.object({
  id: v.string(),
  task: v.literal('chat'),
  context_length: v.number(),
  device: v.string(),
})
export type ChatModel = v.InferOutput<typeof chatModelSchema>

/** One that translates, and was trained here. */
const translatorSchema = v.object({
  id: v.string(),
  owned_by: v.string(),
  task: v.literal('translation'),
  created: v.number(),
  device: v.string(),
  source_language: v.string(),
  target_language: v.string(),
  card: cardSchema,
})
export type Translator = v.InferOutput<typeof translatorSchema>

const otherSchema = v.object({ id: v.string(), task: v.string() })
const modelsSchema = v.object({
  data: v.array(v.union([trainedModelSchema, chatModelSchema, translatorSchema, otherSchema])),
})

export interface KnownModels {
  readonly trained: readonly TrainedModel[]
  readonly chat: readonly ChatModel[]
  readonly translators: readonly Translator[]
}

/** Those of tasks that this page does not know are left out. */
export async function readModels(http: Http): Promise<KnownModels> {
  const { data } = await http.json(modelsSchema, 'GET', '/v1/models')
  return {
    trained: data.filter((model) => 'input' in model),
    translators: data.filter((model) => 'source_language' in model),
    chat: data.filter((model) => 'context_length' in model),
  }
}

const translatorsSchema = v.object({
  data: v.array(
    v.object({
      id: v.string(),
      task: v.string(),
      owned_by: v.string(),
      source_language: v.optional(v.string()),
      target_language: v.optional(v.string()),
    }),
  ),
})

/** Models from one language into another that can be tuned: one's own, and those that ship with Tandem. */
export async function readTunable(http: Http, source: string, target: string): Promise<readonly string[]> {
  const { data } = await http.json(translatorsSchema, 'GET', '/v1/models')
  return data
    .filter((model) => model.task === 'translation')
    .filter((model) => model.source_language === source && model.target_language === target)
    .filter(({ id, owned_by }) => owned_by !== 'tandem' || id === `${source}-${target}`)
    .map(({ id }) => id)
}

/** Whether it is one's own, not one that ships with Tandem. */
export const isOwn = ({ owned_by }: Pick<TrainedModel, 'owned_by'>): boolean => owned_by !== 'tandem'

/** Where one of a model's files is. */
export function modelFilePath(model: TrainedModel, sha256: string): string {
  return isOwn(model) ? `${pathOf(model.id)}/files/${sha256}` : `/models/${sha256}.onnx`
}

/** It is gone for good. */
export async function removeModel(http: Http, id: string): Promise<void> {
  await http.send('DELETE', pathOf(id))
}

const pathOf = (id: string): string => `/v1/models/${encodeURIComponent(id)}`

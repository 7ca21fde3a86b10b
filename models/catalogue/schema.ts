/** What a catalogue entry says of a model. */
import * as v from 'valibot'

const text = v.pipe(v.string(), v.minLength(1))

const sourceSchema = v.variant('kind', [
  /** A file that a model hub serves. */
  v.strictObject({ kind: v.literal('url'), url: v.pipe(v.string(), v.url()) }),
  /** A file inside a Python package's wheel. */
  v.strictObject({ kind: v.literal('pypi'), package: text, version: text, member: text }),
])
export type ModelSource = v.InferOutput<typeof sourceSchema>

const fileSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)),
  /** Bytes. */
  size: v.pipe(v.number(), v.integer(), v.minValue(1)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
})
export type ModelFile = v.InferOutput<typeof fileSchema>

export const catalogueEntrySchema = v.strictObject({
  /** The name in the API. Also the folder's name in the model cache. */
  id: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]*$/)),
  task: v.picklist(['chat', 'embedding']),
  description: text,
  publisher: text,
  /** When the weights were published, in Unix seconds. */
  created: v.pipe(v.number(), v.integer()),
  /** SPDX identifier, and where it is stated. */
  licence: v.strictObject({ spdx: text, statedAt: text }),
  /** Tokens. */
  context: v.pipe(v.number(), v.integer(), v.minValue(1)),
  file: fileSchema,
  /** What else it is made of: files that lie beside it wherever it comes from. */
  companions: v.optional(v.array(fileSchema)),
  /** Tried in this order. */
  sources: v.pipe(v.array(sourceSchema), v.minLength(1)),
})
export type CatalogueEntry = v.InferOutput<typeof catalogueEntrySchema>

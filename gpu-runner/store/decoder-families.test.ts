/** What is refused of a checkpoint: the tiny ones of each family, with one thing wrong. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { type GgufFile, type GgufTensor, type GgufValue, parseGguf } from '#models/importers/gguf.ts'
import { decoderModel } from './decoder-families.ts'
import { ggufParameters } from './gguf-checkpoint.ts'
import { openRangeReader } from './range-reader.ts'

const CHECKPOINTS = path.join(import.meta.dirname, '../../models/architectures/testdata')

type Checkpoint = 'llama' | 'llama3' | 'qwen2' | 'qwen3' | 'gemma2' | 'gemma3'

function open(name: Checkpoint) {
  const reader = openRangeReader(path.join(CHECKPOINTS, `tiny-${name}.gguf`))
  after(() => reader[Symbol.dispose]())
  return { reader, file: parseGguf(reader) }
}

/** What differs from the checkpoint as it is: other values, and other dims or new tensors; or none at all. */
interface Wrong {
  readonly metadata?: Readonly<Record<string, GgufValue | undefined>>
  readonly tensors?: Readonly<Record<string, readonly number[] | undefined>>
}

function build(name: Checkpoint, { metadata: values = {}, tensors: shapes = {} }: Wrong): void {
  const { reader, file } = open(name)
  const metadata = new Map<string, GgufValue>(file.metadata)
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) metadata.delete(key)
    else metadata.set(key, value)
  }
  const tensors = new Map<string, GgufTensor>(file.tensors)
  for (const [key, dims] of Object.entries(shapes)) {
    const tensor = tensors.get(key)
    if (dims === undefined) tensors.delete(key)
    else tensors.set(key, { name: key, type: 'F32', offset: 0, byteLength: 0, ...tensor, dims })
  }
  const changed: GgufFile = { ...file, metadata, tensors }
  const parameters = ggufParameters(changed, reader)
  decoderModel(changed, 'float32').build(parameters, 'decode')
  parameters.requireAllUsed()
}

describe('refuses', () => {
  const cases: readonly [what: string, message: RegExp, name: Checkpoint, wrong: Wrong][] = [
    [
      'another architecture',
      /architecture mamba, not one of/,
      'llama',
      { metadata: { 'general.architecture': 'mamba' } },
    ],
    ['no architecture', /architecture undefined/, 'llama', { metadata: { 'general.architecture': undefined } }],
    [
      "an architecture of JavaScript's",
      /constructor/,
      'llama',
      { metadata: { 'general.architecture': 'constructor' } },
    ],
    ['no layers', /qwen2\.block_count/, 'qwen2', { metadata: { 'qwen2.block_count': undefined } }],
    ['layers of 0', /llama\.block_count is 0/, 'llama', { metadata: { 'llama.block_count': 0 } }],
    ['half a layer', /llama\.block_count is 2\.5/, 'llama', { metadata: { 'llama.block_count': 2.5 } }],
    ['a text for a number', /llama\.context_length is long/, 'llama', { metadata: { 'llama.context_length': 'long' } }],
    [
      'a list for a number',
      /llama\.attention\.head_count_kv/,
      'llama',
      { metadata: { 'llama.attention.head_count_kv': [2, 2, 2] } },
    ],
    [
      'no epsilon',
      /gemma3\.attention\.layer_norm_rms_epsilon/,
      'gemma3',
      { metadata: { 'gemma3.attention.layer_norm_rms_epsilon': undefined } },
    ],
    [
      'a window that is in no key',
      /gemma3\.attention\.sliding_window/,
      'gemma3',
      { metadata: { 'gemma3.attention.sliding_window': undefined } },
    ],
    [
      'a cap below 0',
      /gemma2\.attn_logit_softcapping is -1/,
      'gemma2',
      { metadata: { 'gemma2.attn_logit_softcapping': -1 } },
    ],
    [
      'heads that do not share keys evenly',
      /llama\.attention\.head_count_kv is 3, no divisor of 4/,
      'llama',
      { metadata: { 'llama.attention.head_count_kv': 3 } },
    ],
    [
      'heads that do not divide the hidden size',
      /llama\.rope\.dimension_count/,
      'llama',
      {
        metadata: {
          'llama.attention.head_count': 6,
          'llama.rope.dimension_count': undefined,
        },
      },
    ],
    [
      'heads of 24 elements',
      /qwen3\.attention\.key_length is 24, no multiple of 16/,
      'qwen3',
      { metadata: { 'qwen3.attention.key_length': 24, 'qwen3.attention.value_length': 24 } },
    ],
    [
      'values of another size than keys',
      /qwen3\.attention\.value_length is 16/,
      'qwen3',
      { metadata: { 'qwen3.attention.value_length': 16 } },
    ],
    [
      'heads that are turned in part',
      /gemma3\.rope\.dimension_count is 8/,
      'gemma3',
      { metadata: { 'gemma3.rope.dimension_count': 8 } },
    ],
    [
      'another way to stretch positions',
      /qwen2\.rope\.scaling\.type is yarn/,
      'qwen2',
      { metadata: { 'qwen2.rope.scaling.type': 'yarn' } },
    ],
    [
      'a stretch of 0',
      /gemma3\.rope\.scaling\.factor is 0/,
      'gemma3',
      { metadata: { 'gemma3.rope.scaling.factor': 0 } },
    ],
    ['no embedding table', /token_embd\.weight/, 'llama', { tensors: { 'token_embd.weight': undefined } }],
    ['no norm at the end', /output_norm\.weight/, 'qwen3', { tensors: { 'output_norm.weight': undefined } }],
    ['a layer that is not there', /blk\.3\.attn_norm\.weight/, 'llama', { metadata: { 'llama.block_count': 4 } }],
    [
      'no bias where there has to be one',
      /blk\.1\.attn_k\.bias/,
      'qwen2',
      { tensors: { 'blk.1.attn_k.bias': undefined } },
    ],
    [
      'no norm of the keys',
      /blk\.2\.attn_k_norm\.weight/,
      'gemma3',
      { tensors: { 'blk.2.attn_k_norm.weight': undefined } },
    ],
    [
      'no norm after attention',
      /blk\.0\.post_attention_norm\.weight/,
      'gemma2',
      { tensors: { 'blk.0.post_attention_norm.weight': undefined } },
    ],
    [
      'a matrix of another shape',
      /blk\.0\.ffn_down\.weight is \[96, 64\], not \[64, 96\]/,
      'llama',
      { tensors: { 'blk.0.ffn_down.weight': [64, 96] } },
    ],
    [
      'a projection of as many heads as the metadata does not say',
      /blk\.0\.attn_q\.weight is \[64, 64\], not \[128, 64\]/,
      'llama',
      { metadata: { 'llama.attention.head_count': 8 } },
    ],
    [
      'divisors for other heads',
      /rope_freqs\.weight is \[4\], not \[8\]/,
      'llama3',
      { tensors: { 'rope_freqs.weight': [4] } },
    ],
    [
      'a bias that the family does not add',
      /has blk\.0\.attn_q\.bias, which is not computed with/,
      'llama',
      { tensors: { 'blk.0.attn_q.bias': [64] } },
    ],
    [
      'rows that are no whole blocks',
      /token_embd\.weight has rows of 48/,
      'llama',
      {
        metadata: { 'llama.embedding_length': 48 },
        tensors: { 'token_embd.weight': [48, 128] },
      },
    ],
  ]
  for (const [what, message, name, wrong] of cases) {
    test(what, () => {
      assert.throws(() => build(name, wrong), { name: 'StoreError', code: 'invalid_model', message })
    })
  }
})

test('takes what older checkpoints lack by its default', () => {
  const config = (name: Checkpoint, without: string) => {
    const { file } = open(name)
    const metadata = new Map([...file.metadata].filter(([key]) => key !== `${name}.${without}`))
    return decoderModel({ ...file, metadata }, 'float32').config
  }
  assert.equal(config('llama', 'attention.head_count_kv').kvHeads, 4)
  assert.equal(config('llama', 'rope.freq_base').ropeBase, 10_000)
  assert.equal(config('llama', 'rope.dimension_count').headDim, 16)
  assert.deepEqual(config('gemma3', 'rope.scaling.type'), config('gemma3', 'nothing'))
})

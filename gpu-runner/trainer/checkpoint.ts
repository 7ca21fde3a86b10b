/**
 * A checkpoint: a line of JSON that says what it is, then the state's float32 tensors one after the other, as they lie in
 * memory. It appears under its name by one rename, whole.
 */
import { createHash, randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import * as v from 'valibot'

const headerSchema = v.strictObject({
  version: v.literal(1),
  /** Of the recipe: a checkpoint is gone on with by the run that it is of. */
  recipe: v.string(),
  step: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** What the trainer remembers beside the weights. */
  memory: v.record(v.string(), v.nullable(v.number())),
  tensors: v.array(v.strictObject({ name: v.string(), elements: v.number() })),
  /** SHA-256 of the tensors' bytes. */
  sha256: v.string(),
})
type Header = v.InferOutput<typeof headerSchema>

export interface Checkpoint {
  readonly recipe: string
  readonly step: number
  readonly memory: Readonly<Record<string, number | null>>
  readonly tensors: ReadonlyMap<string, Float32Array>
}

export class CheckpointError extends Error {
  override readonly name = 'CheckpointError'
}

/** Writes what a training is at. The file is on the disk when this returns. */
export async function saveCheckpoint(file: string, { recipe, step, memory, tensors }: Checkpoint): Promise<void> {
  const part = `${file}.${randomUUID()}.part`
  const sha256 = createHash('sha256')
  for (const data of tensors.values()) sha256.update(bytesOf(data))
  const header: Header = {
    version: 1,
    recipe,
    step,
    memory: { ...memory },
    tensors: [...tensors].map(([name, data]) => ({ name, elements: data.length })),
    sha256: sha256.digest('hex'),
  }
  try {
    await using handle = await open(part, 'w')
    await handle.write(`${JSON.stringify(header)}\n`)
    for (const data of tensors.values()) await handle.write(bytesOf(data))
    await handle.sync()
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  await rename(part, file)
}

/**
 * What a training was at; undefined if there is no checkpoint.
 * @throws CheckpointError if it is of another recipe, or damaged
 */
export async function loadCheckpoint(file: string, recipe: string): Promise<Checkpoint | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!bytes) return undefined
  const end = bytes.indexOf('\n')
  const header = parse(bytes.subarray(0, Math.max(0, end)).toString('utf8'))
  if (!header) throw new CheckpointError(`${file} is not a checkpoint`)
  if (header.recipe !== recipe) throw new CheckpointError(`${file} is of another recipe`)
  const data = bytes.subarray(end + 1)
  if (createHash('sha256').update(data).digest('hex') !== header.sha256) {
    throw new CheckpointError(`${file} is damaged`)
  }
  let at = 0
  const tensors = new Map<string, Float32Array>()
  for (const { name, elements } of header.tensors) {
    const tensor = new Float32Array(elements)
    bytesOf(tensor).set(data.subarray(at, at + 4 * elements))
    tensors.set(name, tensor)
    at += 4 * elements
  }
  return { recipe, step: header.step, memory: header.memory, tensors }
}

function parse(line: string): Header | undefined {
  try {
    const parsed = v.safeParse(headerSchema, JSON.parse(line))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength)

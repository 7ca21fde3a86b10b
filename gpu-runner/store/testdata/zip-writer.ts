/** Writes ZIP archives of one member, right ones and, by what is passed in, wrong ones. */
import { deflateRawSync } from 'node:zlib'

export interface Archive {
  readonly name: string
  readonly data: Uint8Array
  readonly method?: 0 | 8 | 12
  readonly flags?: number
  /** What the directory says, where it is not the truth. */
  readonly bytes?: number
  readonly compressedBytes?: number
  readonly localOffset?: number
  readonly directoryOffset?: number
  readonly comment?: string
}

export function writeZip(archive: Archive): Uint8Array {
  const { method = 8, flags = 0, data, comment = '' } = archive
  const name = Buffer.from(archive.name)
  const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data)
  const bytes = archive.bytes ?? data.length
  const compressedBytes = archive.compressedBytes ?? packed.length

  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(name.length, 26)
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(flags, 8)
  entry.writeUInt16LE(method, 10)
  entry.writeUInt32LE(compressedBytes, 20)
  entry.writeUInt32LE(bytes, 24)
  entry.writeUInt16LE(name.length, 28)
  entry.writeUInt32LE(archive.localOffset ?? 0, 42)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(entry.length + name.length, 12)
  end.writeUInt32LE(archive.directoryOffset ?? local.length + name.length + packed.length, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([local, name, packed, entry, name, end, Buffer.from(comment)])
}

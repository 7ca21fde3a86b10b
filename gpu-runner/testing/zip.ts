/** Zip archives as tests need them, the wrong ones too (APPNOTE.TXT 6.3.10). */
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly name: string
  readonly contents: Buffer | string
  /** Bit 0 of the flags: says that it is encrypted. */
  readonly encrypted?: boolean
  /** What the directory says, if not the truth. */
  readonly size?: number
}

export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, contents, encrypted = false, size } of entries) {
    const bytes = Buffer.from(contents)
    const packed = deflateRawSync(bytes)
    const named = Buffer.from(name)
    // From "general purpose bit flag" to "extra field length", which both kinds of header have.
    const common = Buffer.alloc(24)
    common.writeUInt16LE((encrypted ? 1 : 0) | 0x800, 0)
    common.writeUInt16LE(8, 2)
    common.writeUInt32LE(crc32(bytes), 8)
    common.writeUInt32LE(packed.length, 12)
    common.writeUInt32LE(size ?? bytes.length, 16)
    common.writeUInt16LE(named.length, 20)
    const local = Buffer.concat([Buffer.from('PK\x03\x04\x14\0', 'latin1'), common, named, packed])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0\x14\0', 'latin1'), common, rest, named]))
    files.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...files, central, end])
}

/** Loose pictures as the zip archive that a training takes: stored as they are, since pictures are packed already. */
import { crc32 } from '#protocol/crc32.ts'
import { text } from '../../text-train.ts'
import { MOST_FILE_BYTES } from '../../transport/file-upload.ts'
import { FileProblem } from '../task.ts'

/** Entries of an archive that is not Zip64. */
const MOST_PICTURES = 0xffff - 1
const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
/** Names are UTF-8. */
const FLAGS = 0x800
const VERSION = 20
/** The first of January 1980: the same pictures are the same archive. */
const DATE = 0x21

/**
 * APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. The pictures themselves are not copied.
 * @throws FileProblem if there are too many, or they are too large
 */
export async function archiveOf(pictures: readonly File[], name: string): Promise<File> {
  if (pictures.length > MOST_PICTURES) throw new FileProblem(text.files.tooMany(pictures.length, MOST_PICTURES))
  const bytes = pictures.reduce((sum, { size }) => sum + size, 0)
  if (bytes > MOST_FILE_BYTES) throw new FileProblem(text.files.tooLarge(name, bytes, MOST_FILE_BYTES))
  const names = distinct(pictures.map((picture) => picture.name))
  const files: BlobPart[] = []
  const directory: BlobPart[] = []
  let [offset, directoryBytes] = [0, 0]
  for (const [i, picture] of pictures.entries()) {
    const named = new TextEncoder().encode(names[i])
    const crc = crc32(new Uint8Array(await picture.arrayBuffer()))
    const entry: Entry = { crc, size: picture.size, nameLength: named.length }
    const head = header(LOCAL, [[VERSION, 2], ...common(entry)])
    const listed = [...common(entry), [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]] as const
    const central = header(CENTRAL, [[VERSION, 2], [VERSION, 2], ...listed])
    files.push(head, named, picture)
    directory.push(central, named)
    offset += head.length + named.length + picture.size
    directoryBytes += central.length + named.length
  }
  const count = pictures.length
  const end = header(END, [
    [0, 4],
    [count, 2],
    [count, 2],
    [directoryBytes, 4],
    [offset, 4],
    [0, 2],
  ])
  return new File([...files, ...directory, end], name, { type: 'application/zip' })
}

interface Entry {
  readonly crc: number
  readonly size: number
  readonly nameLength: number
}

type Field = readonly [value: number, bytes: 2 | 4]

/** From the flags to the length of what is extra, as both kinds of header have it. */
function common({ crc, size, nameLength }: Entry): Field[] {
  return [
    [FLAGS, 2],
    [0, 2],
    [0, 2],
    [DATE, 2],
    [crc, 4],
    [size, 4],
    [size, 4],
    [nameLength, 2],
    [0, 2],
  ]
}

function header(signature: number, fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + fields.reduce((sum, [, size]) => sum + size, 0))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, signature, true)
  let at = 4
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true)
    else view.setUint32(at, value, true)
    at += size
  }
  return bytes
}

/** Files of several folders may have the same name. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    const [, stem = name, extension = ''] = /^(.*?)(\.[^.]*)?$/s.exec(name) ?? []
    let free = name
    for (let copy = 2; taken.has(free); copy++) free = `${stem} (${copy})${extension}`
    taken.add(free)
    return free
  })
}

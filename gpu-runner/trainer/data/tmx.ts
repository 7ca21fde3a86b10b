/** Translation memories as TMX (https://www.gala-global.org/tmx-14b): units with a segment in each of several languages. */
import { readFile, stat } from 'node:fs/promises'
import { DATA_LIMITS } from './data-limits.ts'
import { DataSetError, shown } from './data-set-error.ts'
import { xmlEvents } from './xml-events.ts'

/** Texts of one thing by their languages, as the file writes these. */
export type Unit = ReadonlyMap<string, string>

/**
 * Mark-up inside of segments is left out, and what its elements hold: codes. Only `hi` holds text.
 * @throws DataSetError that names the line, if it is not well-formed, or the unit that lacks something
 */
export async function* readTmx(file: string): AsyncGenerator<Unit> {
  if ((await stat(file)).size > DATA_LIMITS.tmxBytes) {
    throw new DataSetError('too_large', `The file is over ${DATA_LIMITS.tmxBytes} bytes, which is the limit.`)
  }
  let root: string | undefined
  let units = 0
  let unit: Map<string, string> | undefined
  let language: string | undefined
  let segment: string | undefined
  /** Elements of mark-up inside the segment that are open. */
  let codes = 0
  for (const event of xmlEvents(decoded(await readFile(file)))) {
    if (event.kind === 'text') {
      if (segment !== undefined && codes === 0) segment += event.text
      continue
    }
    const { kind, name } = event
    if (root === undefined) {
      root = name
      if (root !== 'tmx') {
        throw new DataSetError(
          'unreadable',
          `The file is XML, but no TMX: its first element is ${shown(root)}, not 'tmx'.`,
        )
      }
    }
    if (segment !== undefined && name !== 'seg') {
      if (name !== 'hi') codes += kind === 'open' ? 1 : -1
    } else if (name === 'tu') {
      if (kind === 'open') [unit, units] = [new Map(), units + 1]
      else if (unit) {
        yield unit
        unit = undefined
      }
    } else if (name === 'tuv' && kind === 'open') {
      language = event.attributes['xml:lang'] ?? event.attributes.lang
      if (!language) throw new DataSetError('bad_value', `Unit ${units} has a <tuv> without xml:lang.`)
    } else if (name === 'seg' && kind === 'open') segment = ''
    else if (name === 'seg' && segment !== undefined) {
      if (language !== undefined) unit?.set(language, segment)
      ;[segment, codes] = [undefined, 0]
    }
  }
}

/** In UTF-16, if its first bytes say so, as programs of the trade write it; else in UTF-8. @throws DataSetError if it is in neither */
function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new DataSetError('unreadable', `The file is not in ${encoding.toUpperCase()}.`, { cause })
  }
}

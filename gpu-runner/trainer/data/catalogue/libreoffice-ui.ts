/** LibreOffice's menus, dialogs and messages (MPL-2.0), from the tables of gettext that its French package has. */
import * as v from 'valibot'
import { plainText } from '#models/tokenizer/translation-tokenizer.ts'
import { type SourceFile, sourceFile } from '../source-files.ts'
import type { Pair } from './english-french.ts'

const TABLES: SourceFile = {
  name: "LibreOffice's words in French",
  sha256: 'dfcbd9e461f6e83d02d9d76cce1bf5f837b026a787df830b18c91252e12a32bd',
  sources: [
    {
      kind: 'debian-folder',
      package: 'libreoffice-l10n-fr',
      folder: 'usr/lib/libreoffice/program/resource/fr/LC_MESSAGES',
      extension: 'mo',
      encoding: 'latin1',
    },
  ],
}

const MAGIC = 0x95_04_12_de
/** Ends the context that a message stands in. */
const CONTEXT = '\u0004'
const WORD = /\p{L}{2}/u

/** Messages and their translations: https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html */
export function messagesOf(table: Buffer): readonly (readonly [message: string, translation: string])[] {
  if (table.readUInt32LE(0) !== MAGIC) throw new TypeError('this is not a table of gettext')
  const [count, messages, translations] = [8, 12, 16].map((at) => table.readUInt32LE(at)) as [number, number, number]
  const text = (at: number) => {
    const begin = table.readUInt32LE(at + 4)
    return table.toString('utf8', begin, begin + table.readUInt32LE(at))
  }
  return Array.from({ length: count }, (_, i) => [text(messages + 8 * i), text(translations + 8 * i)])
}

/** Without marks of keys; plural forms and what has no word are left out. */
export async function libreOfficeWords(root: string): Promise<readonly Pair[]> {
  const tables = v.parse(
    v.record(v.string(), v.string()),
    JSON.parse((await sourceFile(TABLES, root)).toString('utf8')),
  )
  const pairs = Object.values(tables).flatMap((table) => messagesOf(Buffer.from(table, 'latin1')))
  return pairs.flatMap(([message, translation]) => {
    if (message === '' || translation.includes('\0')) return []
    const [en, fr] = [message.split(CONTEXT).at(-1) ?? '', translation].map((text) =>
      plainText(text.replaceAll('~', '')),
    )
    return en && fr && en !== fr && WORD.test(en) ? [{ en, fr }] : []
  })
}

/** Zip archives that somebody uploaded: what is in them, within bounds, read as it is asked for. */
import { type Entry, openPromise, type ZipFile } from 'yauzl'
import { DATA_LIMITS } from './data-limits.ts'
import { DataSetError, shown } from './data-set-error.ts'

export class Archive implements Disposable {
  /** Those of a user: no folders, and none of the hidden ones that file managers put in. By name, ascending. */
  readonly names: readonly string[]
  readonly #zip: ZipFile
  readonly #entries: ReadonlyMap<string, Entry>

  private constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#zip = zip
    this.#entries = entries
    this.names = [...entries.keys()].sort()
  }

  /**
   * Reads the directory alone.
   * @throws DataSetError if it is no zip, encrypted, has names that lead out of it, two of one name, or is over a limit
   */
  static async open(file: string): Promise<Archive> {
    const zip = await openPromise(file, { autoClose: false }).catch((cause: unknown) => {
      throw new DataSetError('unreadable', `The file is not a zip archive that can be read: ${reason(cause)}.`, {
        cause,
      })
    })
    try {
      return new Archive(zip, await directory(zip))
    } catch (error) {
      zip.close()
      if (error instanceof DataSetError) throw error
      const message = reason(error)
      if (/invalid relative path|absolute path|invalid characters in fileName/.test(message)) {
        throw new DataSetError('unsafe_name', `The archive has a name that is not allowed: ${message}.`, {
          cause: error,
        })
      }
      throw new DataSetError('unreadable', `The archive is damaged: ${message}.`, { cause: error })
    }
  }

  /** One file, unpacked. @throws DataSetError if it is damaged */
  async read(name: string): Promise<Buffer> {
    const entry = this.#entries.get(name)
    if (!entry) throw new RangeError(`${name} is not in the archive`)
    try {
      const stream = await this.#zip.openReadStreamPromise(entry)
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk as Buffer)
      return Buffer.concat(chunks)
    } catch (cause) {
      throw new DataSetError('unreadable', `${shown(name)} cannot be unpacked: ${reason(cause)}.`, {
        file: name,
        cause,
      })
    }
  }

  [Symbol.dispose](): void {
    this.#zip.close()
  }
}

async function directory(zip: ZipFile): Promise<Map<string, Entry>> {
  const { entries: mostEntries, entryBytes, archiveBytes } = DATA_LIMITS
  if (zip.entryCount > mostEntries) throw tooLarge('files', mostEntries, zip.entryCount)
  const found = new Map<string, Entry>()
  let bytes = 0
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName
    if (name.endsWith('/') || isHidden(name)) continue
    if (entry.isEncrypted()) {
      throw new DataSetError('encrypted', `${shown(name)} is encrypted: upload an archive without a password.`, {
        file: name,
      })
    }
    if (entry.uncompressedSize > entryBytes) {
      const message = `${shown(name)} has ${entry.uncompressedSize} bytes, the limit is ${entryBytes}.`
      throw new DataSetError('too_large', message, { file: name })
    }
    bytes += entry.uncompressedSize
    if (bytes > archiveBytes) throw tooLarge('bytes when unpacked', archiveBytes, `more than ${bytes}`)
    if (found.has(name))
      throw new DataSetError('unreadable', `The archive has two files ${shown(name)}.`, { file: name })
    found.set(name, entry)
  }
  return found
}

function tooLarge(what: string, limit: number, given: number | string): DataSetError {
  return new DataSetError('too_large', `The archive has too many ${what}: ${given}, the limit is ${limit}.`)
}

/** Of the Mac's archives, of Windows' folders, and of all that begin with a dot. */
function isHidden(name: string): boolean {
  return name.split('/').some((part) => part === '__MACOSX' || part.startsWith('.')) || /(^|\/)Thumbs\.db$/.test(name)
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
}

/** The metadata of the default chat model, which is pulled before the tests run. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import path from 'node:path'
import { defaultModel } from '../../catalogue/catalogue.ts'
import { parseGguf } from '../../importers/gguf.ts'
import type { GgufMetadata } from '../../importers/gguf-metadata.ts'

/** Throws if the model is not in the cache (`TANDEM_MODELS`, else `TANDEM_HOME`'s). */
export function smollm2Metadata(): GgufMetadata {
  const { TANDEM_HOME = '.tandem', TANDEM_MODELS = path.join(TANDEM_HOME, 'models') } = process.env
  const { id, file } = defaultModel('chat')
  const descriptor = openSync(path.join(TANDEM_MODELS, id, file.name), 'r')
  try {
    const read = (offset: number, length: number) => {
      const bytes = new Uint8Array(length)
      readSync(descriptor, bytes, 0, length, offset)
      return bytes
    }
    return parseGguf({ byteLength: fstatSync(descriptor).size, read }).metadata
  } finally {
    closeSync(descriptor)
  }
}

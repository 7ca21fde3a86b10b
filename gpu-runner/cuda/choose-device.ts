/** What the models run on: what `TANDEM_DEVICE` asks for, or the best there is. */
import { SettingsError } from '../settings.ts'
import { whyNotCuda } from './checks.ts'
import { cudaFolder, unsupportedSystem } from './install.ts'

export interface ChosenDevice {
  /** The folder of the CUDA provider; models run on the CPU if there is none. */
  readonly cuda?: string
  /** Why it is what it is. */
  readonly why: string
}

/**
 * @param models the model cache
 * @param whyNot why CUDA cannot be used from that folder, undefined if it can
 * @throws SettingsError if CUDA is asked for and does not work
 */
export function chooseDevice(
  asked: 'auto' | 'cuda' | 'cpu',
  models: string,
  whyNot: (folder: string) => string | undefined = (folder) => unsupportedSystem() ?? whyNotCuda(folder),
): ChosenDevice {
  if (asked === 'cpu') return { why: 'TANDEM_DEVICE=cpu' }
  const folder = cudaFolder(models)
  const reason = whyNot(folder)
  if (reason === undefined) return { cuda: folder, why: `CUDA works, from ${folder}` }
  if (asked === 'auto') return { why: `no CUDA: ${reason}` }
  throw new SettingsError(
    `TANDEM_DEVICE=cuda: ${reason}\n\`npm run cuda\` fetches what can be fetched and checks the rest; ` +
      'TANDEM_DEVICE=cpu or auto runs without.',
  )
}

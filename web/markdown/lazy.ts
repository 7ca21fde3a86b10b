/** Loads the markdown renderer once the page stands; until then an answer is shown as plain text. */
import { signal } from '@preact/signals'

export type Renderer = typeof import('./renderer.ts')

export const renderer = signal<Renderer | null>(null)

export async function loadRenderer(): Promise<void> {
  renderer.value ??= await import('./renderer.ts')
}

/** What a reader has set, kept by the browser. */
import { effect, type Signal, signal } from '@preact/signals'
import * as v from 'valibot'

export const themeSchema = v.picklist(['system', 'light', 'dark'])
const schema = v.object({
  theme: v.fallback(themeSchema, 'system'),
  model: v.fallback(v.nullable(v.string()), null),
  system: v.fallback(v.pipe(v.string(), v.maxLength(8000)), ''),
  temperature: v.fallback(v.pipe(v.number(), v.minValue(0), v.maxValue(2)), 0.7),
  maxTokens: v.fallback(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))), null),
})
export type BrowserSettings = v.InferOutput<typeof schema>
export type Theme = BrowserSettings['theme']

const KEY = 'tandem-settings'
export const DEFAULT_SETTINGS: BrowserSettings = v.parse(schema, {
  theme: undefined,
  model: undefined,
  system: undefined,
  temperature: undefined,
  maxTokens: undefined,
})

/** Settings as they were left; what cannot be read is as at first. Changes are written back. */
export function keptSettings(storage: Pick<Storage, 'getItem' | 'setItem'>): Signal<BrowserSettings> {
  const settings = signal(read(storage))
  effect(() => {
    try {
      storage.setItem(KEY, JSON.stringify(settings.value))
    } catch {
      // A browser that keeps nothing (private mode, no space left) still has them while the page is open.
    }
  })
  return settings
}

function read(storage: Pick<Storage, 'getItem'>): BrowserSettings {
  try {
    const parsed = v.safeParse(schema, JSON.parse(storage.getItem(KEY) ?? '{}'))
    return parsed.success ? parsed.output : DEFAULT_SETTINGS
  } catch {
    return DEFAULT_SETTINGS
  }
}

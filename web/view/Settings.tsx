import * as v from 'valibot'
import { sectionPath } from '../state/address.ts'
import { type BrowserSettings, DEFAULT_SETTINGS, themeSchema } from '../state/browser-settings.ts'
import type { Page } from '../state/page.ts'
import { text } from '../text.ts'
import { Dialog } from './Dialog.tsx'
import { followed } from './links.ts'

/** What is set here holds for the next answer. */
export function Settings({ page }: { page: Page }) {
  const { settings, server, model, overlay } = page
  const { system, temperature, maxTokens, theme } = settings.value
  const set = (change: Partial<BrowserSettings>) => {
    settings.value = { ...settings.value, ...change }
  }
  const words = text.settings
  return (
    <Dialog title={words.title} onClose={() => (overlay.value = 'none')}>
      <div class="fields">
        <label>
          <span>{words.model}</span>
          <select value={model.value?.id} onChange={(event) => set({ model: event.currentTarget.value })}>
            {server.models.value.map(({ id }) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{words.system}</span>
          <textarea
            rows={3}
            maxLength={8000}
            value={system}
            onInput={(event) => set({ system: event.currentTarget.value })}
          />
          <small>{words.systemHint}</small>
        </label>
        <label>
          <span>
            {words.temperature}: {temperature.toFixed(1)}
          </span>
          <input
            type="range"
            min={0}
            max={2}
            step={0.1}
            value={temperature}
            onInput={(event) => set({ temperature: event.currentTarget.valueAsNumber })}
          />
          <small>{words.temperatureHint}</small>
        </label>
        <label>
          <span>{words.maxTokens}</span>
          <input
            type="number"
            min={1}
            max={model.value?.context_length}
            value={maxTokens ?? ''}
            onInput={(event) => set({ maxTokens: wholeNumber(event.currentTarget.valueAsNumber) })}
          />
          <small>{words.maxTokensHint}</small>
        </label>
        <label>
          <span>{text.theme.label}</span>
          <select value={theme} onChange={(event) => set({ theme: v.parse(themeSchema, event.currentTarget.value) })}>
            {themeSchema.options.map((option) => (
              <option key={option} value={option}>
                {text.theme[option]}
              </option>
            ))}
          </select>
        </label>
        <p>
          <a
            href={sectionPath('keys')}
            onClick={(event) =>
              followed(event, () => {
                overlay.value = 'none'
                page.address.go(sectionPath('keys'))
              })
            }
          >
            {text.keys.title}
          </a>
        </p>
        <div class="editor-actions">
          <button type="button" class="plain" onClick={() => set({ ...DEFAULT_SETTINGS, theme: settings.value.theme })}>
            {words.reset}
          </button>
        </div>
      </div>
    </Dialog>
  )
}

function wholeNumber(value: number): number | null {
  return Number.isInteger(value) && value >= 1 ? value : null
}

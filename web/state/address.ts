/** What the address names: a conversation (`/chat/conv_…`), a part of the studio, a training job, a translation. */
import { batch, type ReadonlySignal, signal } from '@preact/signals'

export type Section = 'chat' | 'translate' | 'summarise' | 'studio' | 'train' | 'models' | 'keys'

export interface Address {
  readonly conversationId: ReadonlySignal<string | null>
  readonly section: ReadonlySignal<Section>
  /** Of the section: `explore` of `/studio/explore`, a job's id of `/train/…`; null at the section's own address. */
  readonly part: ReadonlySignal<string | null>
  /** The model that is worked with, `?model=…`. */
  readonly model: ReadonlySignal<string | null>
  /** What else it says, from `?` on. */
  readonly query: ReadonlySignal<string>
  /** Opens a conversation, or a new one. */
  open(conversationId: string | null): void
  /** Gives the conversation that is open its id. Leaves no step to go back to, and nobody is led away. */
  settle(conversationId: string): void
  go(path: string): void
  /** As `go`, leaving no step to go back to. Of a section that is not open it says where that was left. */
  replace(path: string): void
  /** Where a section was left. */
  lastPath(section: Section): string
}

export function conversationPath(id: string | null): string {
  return sectionPath('chat', id)
}

export function sectionPath(section: Section, part: string | null = null): string {
  return part === null ? `/${section}` : `/${section}/${part}`
}

const SECTIONS: readonly Section[] = ['translate', 'summarise', 'studio', 'train', 'models', 'keys']

function modelOf(search: string): string | null {
  return new URLSearchParams(search).get('model')
}

export function sectionOf(path: string): Section {
  return SECTIONS.find((section) => path === `/${section}` || path.startsWith(`/${section}/`)) ?? 'chat'
}

export function partOf(path: string): string | null {
  return /^\/[a-z]+\/([A-Za-z0-9_-]+)$/.exec(path)?.[1] ?? null
}

/** What a link to a shared conversation, `/shared/…`, is good for. */
export function sharedToken(path: string): string | null {
  return /^\/shared\/([A-Za-z0-9_-]+)$/.exec(path)?.[1] ?? null
}

export function createAddress(window: Window): Address {
  const section = signal(sectionOf(window.location.pathname))
  const part = signal(partOf(window.location.pathname))
  const model = signal(modelOf(window.location.search))
  const queryHere = () => window.location.search + window.location.hash
  const query = signal(queryHere())
  /** The conversation that is open stays so while another section is looked at. */
  const conversationId = signal(section.value === 'chat' ? part.value : null)
  const last = new Map<Section, string>()
  const follow = () =>
    batch(() => {
      section.value = sectionOf(window.location.pathname)
      part.value = partOf(window.location.pathname)
      model.value = modelOf(window.location.search)
      query.value = queryHere()
      last.set(section.value, window.location.pathname + query.value)
      if (section.value === 'chat') conversationId.value = part.value
    })
  window.addEventListener('popstate', follow)
  const go = (path: string) => {
    if (path !== window.location.pathname + queryHere()) window.history.pushState(null, '', path)
    follow()
  }
  return {
    conversationId,
    section,
    part,
    model,
    query,
    open: (id) => go(conversationPath(id)),
    settle(id) {
      conversationId.value = id
      if (section.value !== 'chat') return
      window.history.replaceState(null, '', conversationPath(id))
      follow()
    },
    go,
    replace(path) {
      const of = sectionOf(path.replace(/[?#].*$/s, ''))
      if (of !== section.value) {
        last.set(of, path)
        return
      }
      window.history.replaceState(null, '', path)
      follow()
    },
    lastPath: (of) => (of === 'chat' ? conversationPath(conversationId.value) : (last.get(of) ?? sectionPath(of))),
  }
}

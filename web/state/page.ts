/** The page's state, put together: what the views read and what they may do. */
import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals'
import { ConversationsApi } from '../transport/conversations.ts'
import { readHealth } from '../transport/health.ts'
import { Http } from '../transport/http.ts'
import { ServerApi } from '../transport/server.ts'
import { SharesApi } from '../transport/shares.ts'
import { type Address, createAddress } from './address.ts'
import { askAgainWhenBack } from './ask-again.ts'
import { keptSettings } from './browser-settings.ts'
import { ChatSession } from './chat-session.ts'
import { ConversationActions } from './conversation-actions.ts'
import { ConversationList } from './conversation-list.ts'
import { ServerState } from './server-state.ts'

/** The value, once there is one. */
function known<T>(value: ReadonlySignal<T | null>): Promise<T> {
  return new Promise((resolve) => {
    const stop = value.subscribe((now) => {
      if (now === null) return
      resolve(now)
      queueMicrotask(() => stop())
    })
  })
}

export type Page = ReturnType<typeof createPage>

export function createPage(window: Window & typeof globalThis) {
  const fetch = (path: string, init: RequestInit) => window.fetch(path, init)
  const http: Http = new Http({ fetch, renew: () => api.signIn() })
  const api = new ServerApi(http)
  const conversations = new ConversationsApi(http)
  const server = new ServerState(api, () => readHealth(fetch))
  const list = new ConversationList(conversations, (error) => server.report(error))
  const shares = new SharesApi(http)
  const settings = keptSettings(window.localStorage)
  const address: Address = createAddress(window)
  const model = computed(() => {
    const chosen = server.models.value.find(({ id }) => id === settings.value.model)
    return chosen ?? server.models.value[0] ?? null
  })
  /** What stands over the page. */
  const overlay = signal<'none' | 'settings' | 'shortcuts' | 'list' | 'share'>('none')
  /** Ends what is under way in the section that is open; the key Esc does. */
  const stop = signal<(() => void) | null>(null)
  const onFailure = (error: unknown) => server.report(error)
  const actions = new ConversationActions({ conversations, list, address, onFailure })

  const open = new Map<string, ChatSession>()
  /** Between the tabs of one browser: a conversation that something happens in. */
  const tabs = new BroadcastChannel('tandem-conversations')
  const newSession = () =>
    new ChatSession({
      http,
      conversations,
      async question() {
        const { system, temperature, maxTokens } = settings.value
        return { model: (await known(model)).id, system, temperature, maxTokens }
      },
      onCreated(session, conversation) {
        open.set(conversation.id, session)
        list.raise(conversation)
        if (current.value === session) address.settle(conversation.id)
      },
      onActivity: (id) => list.touch(id),
      onAnswer: (id) => tabs.postMessage(id),
      onFailure,
      nextFrame: (callback) => void window.requestAnimationFrame(callback),
    })
  const current = signal(newSession())

  // The address leads: going back, a link and a new conversation all end here.
  effect(() => {
    const id = address.conversationId.value
    if (server.signedIn.value !== true || id === current.peek().id.peek()) return
    if (id === null) {
      current.value = newSession()
      return
    }
    let session = open.get(id)
    if (!session) {
      session = newSession()
      open.set(id, session)
      void session.load(id)
      void list.know(id)
    }
    current.value = session
  })
  effect(() => {
    if (server.signedIn.value) untracked(() => void list.load())
  })
  effect(() => {
    window.document.documentElement.dataset.theme = settings.value.theme
  })
  askAgainWhenBack(server, current)
  window.addEventListener('pagehide', () => list.flush(true))
  window.addEventListener('online', () => void server.look())
  tabs.addEventListener('message', ({ data }) => {
    void open.get(String(data))?.refresh()
    void list.know(String(data))
  })
  window.document.addEventListener('visibilitychange', () => {
    if (window.document.visibilityState === 'visible') void current.value.refresh()
  })

  return {
    http,
    server,
    list,
    conversations,
    shares,
    actions,
    settings,
    address,
    model,
    overlay,
    stop,
    current,
    newChat() {
      overlay.value = 'none'
      address.open(null)
      if (current.value.turns.value.length > 0 || current.value.id.value !== null) current.value = newSession()
    },
    removeConversation(id: string) {
      list.remove(id)
      open.get(id)?.stop()
      if (current.value.id.value === id) address.open(null)
    },
    undoRemoval() {
      list.undo()
    },
  }
}

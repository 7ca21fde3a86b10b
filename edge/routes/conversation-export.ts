/** A conversation as a file, streamed a page of items at a time: Markdown to read, JSON to read again. */
import {
  type Conversation,
  type ConversationItem,
  exportQuerySchema,
  type MessageItem,
} from '#protocol/conversations.ts'
import type { EdgeContext } from '../context.ts'
import { validate } from '../http/validate.ts'
import { listItems } from '../storage/conversations.ts'
import type { Operation } from './operation.ts'
import { CONVERSATIONS, conversationOf, ownerOf } from './own-conversation.ts'

const PAGE = 50
const HEADINGS: Record<MessageItem['role'], string> = {
  user: 'User',
  assistant: 'Assistant',
  system: 'System',
  developer: 'Developer',
}
/** Marks that a file system takes amiss, and those that would end the name in a header. */
const UNSAFE = /[\p{Cc}\p{Cf}"*/:<>?\\|]+/gu

function headingOf(item: ConversationItem): string {
  if (item.type === 'message') return HEADINGS[item.role]
  return item.type === 'function_call' ? `Call of \`${item.name}\`` : 'Result'
}

function endOf(item: ConversationItem): string {
  if (item.status !== 'incomplete') return ''
  return item.type === 'message' && item.incomplete_details ? ' (cut at its limit)' : ' (stopped)'
}

function textOf(item: ConversationItem): string {
  if (item.type === 'message') return item.content.map(({ text }) => text).join('\n\n')
  return `    ${(item.type === 'function_call' ? item.arguments : item.output).replaceAll('\n', '\n    ')}`
}

interface Format {
  contentType: string
  extension: string
  head: (conversation: Conversation) => string
  item: (item: ConversationItem, index: number) => string
  foot: string
}

const FORMATS: Record<'markdown' | 'json', Format> = {
  markdown: {
    contentType: 'text/markdown; charset=utf-8',
    extension: 'md',
    head: ({ metadata }) => (metadata.title ? `# ${metadata.title.replaceAll(/\s+/g, ' ')}\n` : ''),
    item: (item) => `\n## ${headingOf(item)}${endOf(item)}\n\n${textOf(item)}\n`,
    foot: '',
  },
  json: {
    contentType: 'application/json',
    extension: 'json',
    head: (conversation) => `${JSON.stringify(conversation).slice(0, -1)},"items":[`,
    item: (item, index) => `${index === 0 ? '' : ','}\n${JSON.stringify(item)}`,
    foot: '\n]}\n',
  },
}

export const exportOperation: Operation = {
  method: 'GET',
  path: `${CONVERSATIONS}/{id}/export`,
  scope: 'conversations',
  tag: 'Conversations',
  summary: 'Export a conversation as a file',
  description:
    '`markdown`, or `json`: the conversation with all its `items`, as a POST that makes one takes them but for ids.',
  query: exportQuerySchema,
  answer: { description: 'The file', contentType: 'text/markdown' },
  async handle(c) {
    const format = FORMATS[validate(exportQuerySchema, c.req.query()).format]
    const conversation = await conversationOf(c)
    const name = fileName(conversation.metadata.title ?? '', format.extension)
    return c.body(streamOf(chunks(c, conversation, format)), 200, {
      'content-type': format.contentType,
      'content-disposition': `attachment; filename="conversation.${format.extension}"; filename*=UTF-8''${name}`,
      'cache-control': 'no-store',
    })
  },
}

async function* chunks(
  c: EdgeContext,
  conversation: Conversation,
  { head, item, foot }: Format,
): AsyncGenerator<string> {
  yield head(conversation)
  let index = 0
  for (let after: string | undefined; ; ) {
    const query = { limit: PAGE, order: 'asc' as const, ...(after === undefined ? {} : { after }) }
    const { data, hasMore } = await listItems(c.env.DB, ownerOf(c), conversation.id, query)
    for (const each of data) yield item(each, index++)
    after = data.at(-1)?.id
    if (!hasMore) break
  }
  yield foot
}

/** Read as it is drawn; a failure breaks the line, so that half a file is never taken for a whole one. */
function streamOf(parts: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await parts.return(undefined)
    },
  })
}

/** As RFC 8187 writes it. */
function fileName(title: string, extension: string): string {
  const safe = title.replaceAll(UNSAFE, ' ').replaceAll(/\s+/g, ' ').trim().slice(0, 80).toWellFormed().trim()
  return encodeURIComponent(`${safe || 'conversation'}.${extension}`).replaceAll(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16)}`,
  )
}

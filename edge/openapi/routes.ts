import type { Operation } from '../routes/operation.ts'
import { openApiDocument } from './document.ts'
import { DOCS_STYLE, docsPage } from './page.ts'

/** The operations that describe all operations, themselves included. */
export function documentOperations(described: readonly Operation[]): readonly Operation[] {
  const open = { method: 'GET', scope: null, tag: 'Documents' } as const
  const operations: readonly Operation[] = [
    {
      ...open,
      path: '/openapi.json',
      summary: 'Read the OpenAPI document',
      answer: { description: 'The document', contentType: 'application/json' },
      handle: (c) => c.json(openApiDocument(all)),
    },
    {
      ...open,
      path: '/docs',
      summary: 'Read the documentation',
      answer: { description: 'A page', contentType: 'text/html' },
      handle: (c) => c.html(docsPage(all, new URL(c.req.url).origin)),
    },
    {
      ...open,
      path: '/docs/style.css',
      summary: 'Read the documentation’s style',
      answer: { description: 'A style sheet', contentType: 'text/css' },
      handle: (c) => c.body(DOCS_STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }),
    },
  ]
  const all = [...described, ...operations]
  return operations
}

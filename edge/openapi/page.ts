/** `/docs`: the OpenAPI document as a page for people, without a script. */
import { html, raw } from 'hono/html'
import type { Operation } from '../routes/operation.ts'
import { type JsonObject, openApiDocument } from './document.ts'

export function docsPage(operations: readonly Operation[], origin: string) {
  const { paths } = openApiDocument(operations) as { paths: Record<string, Record<string, JsonObject>> }
  const tags = [...new Set(operations.map(({ tag }) => tag))]
  const section = (tag: string) => html`<section><h2 id="${tag.toLowerCase()}">${tag}</h2>
    ${operations.filter((operation) => operation.tag === tag).map((operation) => article(operation, paths, origin))}</section>`
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Tandem API</title>
  <link rel="stylesheet" href="/docs/style.css">
</head>
<body>
  <main>
    <h1>Tandem API</h1>
    <p>Send <code>Authorization: Bearer KEY</code> with each request. The first run wrote a key to the file that
      <code>npm start</code> names. The same as data: <a href="/openapi.json">openapi.json</a>.</p>
    <nav aria-label="Sections">${tags.map((tag) => html`<a href="#${tag.toLowerCase()}">${tag}</a> `)}</nav>
    ${tags.map(section)}
  </main>
</body>
</html>`
}

function article(operation: Operation, paths: Record<string, Record<string, JsonObject>>, origin: string) {
  const { method, path, summary, description, scope } = operation
  const described = paths[path]?.[method.toLowerCase()] ?? {}
  return html`<article>
    <h3><span class="method">${method}</span> <code>${path}</code></h3>
    <p>${summary}.${description ? html` ${description}` : ''}</p>
    <p class="scope">${scope === null ? 'Open to all.' : html`Needs a key with the scope <code>${scope}</code>.`}</p>
    <pre><code>${curl(operation, origin)}</code></pre>
    ${details('Parameters', described.parameters)} ${details('Request body', described.requestBody)}
    ${details('Answers', described.responses)}
  </article>`
}

function details(title: string, content: unknown) {
  if (content === undefined || (Array.isArray(content) && content.length === 0)) return raw('')
  return html`<details><summary>${title}</summary><pre><code>${JSON.stringify(content, null, 2)}</code></pre></details>`
}

function curl({ method, path, scope, example }: Operation, origin: string): string {
  const lines = [`curl ${origin}${path}`]
  if (method !== 'GET' && example === undefined) lines.push(`-X ${method}`)
  if (scope !== null) lines.push('-H "Authorization: Bearer $TANDEM_KEY"')
  if (example !== undefined) lines.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(example)}'`)
  return lines.join(' \\\n  ')
}

export const DOCS_STYLE = `:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0; background: Canvas; color: CanvasText; }
main { max-width: 52rem; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 32px; } h2 { font-size: 24px; margin-top: 48px; } h3 { font-size: 18px; margin-bottom: 4px; }
a { color: LinkText; } nav a { margin-right: 12px; }
article { border-top: 1px solid color-mix(in srgb, CanvasText 15%, Canvas); padding: 8px 0 16px; }
pre { background: color-mix(in srgb, CanvasText 6%, Canvas); padding: 12px; border-radius: 8px; overflow-x: auto; }
code, pre { font: 13px/1.5 ui-monospace, monospace; }
.method { font-weight: 700; } .scope { color: color-mix(in srgb, CanvasText 75%, Canvas); }
summary { cursor: pointer; }
`

/**
 * Markdown tokens to HTML that can do nothing: no HTML of the answer's own but a few bare tags, no picture, no address
 * but http, https and mailto. `sanitise.ts` is the second wall.
 */
import { Marked, type Tokens } from 'marked'
import { text } from '../text.ts'

/** Tags that models write in the middle of markdown, harmless without attributes. */
const BARE_TAG = /^<\/?(?:br|sub|sup|kbd|b|i|em|strong|u|s|mark)\s*\/?>$/i

export function escapeHtml(raw: string): string {
  return raw.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** The address when it leads to the web or to a mail program; null for everything else, relative ones included. */
export function safeAddress(href: string): string | null {
  try {
    const url = new URL(href)
    return ['https:', 'http:', 'mailto:'].includes(url.protocol) ? url.href : null
  } catch {
    return null
  }
}

function link(href: string, inner: string): string {
  const address = safeAddress(href)
  if (address === null) return inner
  const escaped = escapeHtml(address)
  return `<a href="${escaped}" title="${escaped}" target="_blank" rel="noopener noreferrer nofollow">${inner}</a>`
}

/** A name such as `ts` or `c++`, for the head of a code block. */
export function languageOf(info: string | undefined): string {
  return info?.trim().match(/^[\w+#.-]{1,24}/)?.[0] ?? ''
}

function bareOrText(raw: string): string {
  return BARE_TAG.test(raw.trim()) ? raw.trim().toLowerCase() : escapeHtml(raw)
}

export const markdown = new Marked({
  gfm: true,
  renderer: {
    html(token: Tokens.HTML | Tokens.Tag): string {
      return 'block' in token && token.block ? `<p>${escapeHtml(token.text.trim())}</p>` : bareOrText(token.text)
    },
    link({ href, tokens }: Tokens.Link): string {
      return link(href, this.parser.parseInline(tokens))
    },
    image({ href, text: alt }: Tokens.Image): string {
      return link(href, `${escapeHtml(alt || text.markdown.image)}`)
    },
    checkbox({ checked }: Tokens.Checkbox): string {
      return checked ? '☑ ' : '☐ '
    },
    table({ header, rows }: Tokens.Table): string {
      const row = (cells: readonly Tokens.TableCell[]) =>
        `<tr>${cells.map((cell) => this.tablecell(cell)).join('')}</tr>`
      return `<div class="table" tabindex="0" role="group" aria-label="${text.markdown.table}"><table><thead>${row(header)}</thead><tbody>${rows
        .map(row)
        .join('')}</tbody></table></div>`
    },
    code({ text: code, lang }: Tokens.Code): string {
      return (
        `<div class="code"><div class="code-head"><span>${escapeHtml(languageOf(lang))}</span>` +
        `<button type="button" class="quiet" data-copy="code">${text.actions.copyCode}</button></div>` +
        `<pre tabindex="0"><code>${escapeHtml(code)}</code></pre></div>`
      )
    },
  },
})

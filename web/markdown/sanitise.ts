/** The second wall: whatever `render.ts` lets through, only these tags and attributes reach the page. */
import createDOMPurify from 'dompurify'

const TAGS = [
  ...[
    'p',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'ul',
    'ol',
    'li',
    'blockquote',
    'hr',
    'br',
    'pre',
    'code',
    'div',
    'span',
  ],
  ...['table', 'thead', 'tbody', 'tr', 'th', 'td', 'a', 'strong', 'em', 'b', 'i', 'u', 's', 'del', 'sub', 'sup', 'kbd'],
  ...['mark', 'button', '#text'],
]
const ATTRIBUTES = [
  'href',
  'title',
  'target',
  'rel',
  'align',
  'start',
  'class',
  'type',
  'tabindex',
  'role',
  'aria-label',
]

const purifier = createDOMPurify(window)

export function sanitise(html: string): string {
  return purifier.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: [...ATTRIBUTES, 'data-copy'],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  })
}

/** The text of a PDF, page by page, in the order in which it is set. */
import { DocumentError } from '../documents/open-document.ts'
import { boundedPdf } from './bounded-pdf.ts'

const MOST_PAGES = 1_000
/** More than is summarised: what comes after it is not read. */
const MOST_CHARACTERS = 4 << 20

/** @throws DocumentError if it is none, is locked, has too many pages or unpacks to too much */
export async function textOfPdf(bytes: Uint8Array): Promise<string> {
  // A megabyte and a half of code, for those who need it.
  const { getDocumentProxy } = await import('unpdf')
  const pdf = await getDocumentProxy(boundedPdf(bytes), { verbosity: 0 }).catch((cause: unknown) => {
    const locked = cause instanceof Error && cause.name === 'PasswordException'
    throw new DocumentError(locked ? 'it is locked with a password' : 'it is no PDF, or a broken one', { cause })
  })
  try {
    if (pdf.numPages > MOST_PAGES) {
      throw new DocumentError(`it has ${pdf.numPages} pages, and ${MOST_PAGES} are the limit`)
    }
    let text = ''
    for (let number = 1; number <= pdf.numPages && text.length <= MOST_CHARACTERS; number++) {
      const page = await pdf.getPage(number)
      const { items } = await page.getTextContent()
      for (const item of items) if ('str' in item) text += item.str + (item.hasEOL ? '\n' : '')
      text += '\n\n'
      page.cleanup()
    }
    return text
  } catch (cause) {
    if (cause instanceof DocumentError) throw cause
    throw new DocumentError('it is a broken PDF', { cause })
  } finally {
    await pdf.loadingTask.destroy()
  }
}

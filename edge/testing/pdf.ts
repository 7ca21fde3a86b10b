/** Small PDFs (ISO 32000-1), for tests. */

/**
 * @param pages lines of text of each
 * @param locked encrypted, so that nobody's password opens it
 */
export function pdfOf(pages: readonly (readonly string[])[], { locked = false } = {}): Uint8Array<ArrayBuffer> {
  const objects = ['<< /Type /Catalog /Pages 2 0 R >>']
  const page = (index: number) => 4 + 2 * index
  objects.push(
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${page(i)} 0 R`).join(' ')}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  )
  for (const [i, lines] of pages.entries()) {
    const set = lines.map((line) => `(${line.replaceAll(/[()\\]/g, '\\$&')}) Tj T*`).join('\n')
    const content = `BT /F1 12 Tf 14 TL 50 700 Td\n${set}\nET`
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${page(i) + 1} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    )
  }
  const hash = '00'.repeat(32)
  if (locked) objects.push(`<< /Filter /Standard /V 1 /R 2 /P -4 /O <${hash}> /U <${hash}> >>`)
  let text = '%PDF-1.4\n'
  const places = objects.map((object, i) => {
    const at = text.length
    text += `${i + 1} 0 obj\n${object}\nendobj\n`
    return `${String(at).padStart(10, '0')} 00000 n \n`
  })
  const start = text.length
  const size = objects.length + 1
  const encrypt = locked ? ` /Encrypt ${objects.length} 0 R /ID [<00> <00>]` : ''
  text += `xref\n0 ${size}\n0000000000 65535 f \n${places.join('')}trailer\n<< /Size ${size} /Root 1 0 R${encrypt} >>\nstartxref\n${start}\n%%EOF\n`
  return new TextEncoder().encode(text)
}

/** What axe finds seriously wrong on a page as it stands, and whether anything is wider than the window. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export async function barriers(page: Page): Promise<string[]> {
  const violations = await page.evaluate(async (source) => {
    // The security policy has no place for a script of ours, but for one that the test itself brings.
    const run = new Function(`${source}; return axe.run()`)
    const { violations, passes } = await run()
    if (passes.length < 5) throw new Error(`only ${passes.length} rules were looked at`)
    return violations
      .filter(({ impact }: { impact: string }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }: { id: string; nodes: { html: string }[] }) => `${id}: ${nodes[0]?.html}`)
  }, axe)
  const overflows = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)
  return overflows ? [...violations, 'wider than the window'] : violations
}

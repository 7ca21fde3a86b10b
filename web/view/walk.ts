/**
 * Lets arrows, Home and End walk from one of the elements of a selector to the next, within their parent.
 * @returns the one that was walked to, if it was such a key
 */
export function walked(
  event: KeyboardEvent & { readonly currentTarget: HTMLElement },
  selector: string,
): HTMLElement | undefined {
  const all = [...(event.currentTarget.parentElement?.querySelectorAll<HTMLElement>(selector) ?? [])]
  const at = all.indexOf(event.currentTarget)
  const goal = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: -1 }[
    event.key
  ]
  if (goal === undefined) return undefined
  event.preventDefault()
  const next = all.at(goal % all.length)
  next?.focus()
  return next
}

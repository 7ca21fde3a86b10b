/** Lets arrows, Home and End walk from one of the elements of a selector to the next, within their parent's parent. */
export function walked(event: KeyboardEvent & { readonly currentTarget: HTMLElement }, selector: string): void {
  const all = [...(event.currentTarget.parentElement?.querySelectorAll<HTMLElement>(selector) ?? [])]
  const at = all.indexOf(event.currentTarget)
  const goal = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: -1 }[
    event.key
  ]
  if (goal === undefined) return
  event.preventDefault()
  all.at(goal % all.length)?.focus()
}

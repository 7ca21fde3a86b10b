/** Follows a link within the page, unless it was asked for in a new tab or window. */
export function followed(event: MouseEvent, open: () => void): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  open()
}

import { useEffect, useRef, useState } from 'preact/hooks'

/**
 * Files that are dropped anywhere or pasted, while `active`.
 * @param onText is given text that is pasted outside a field; without it, that is a file, too
 * @returns whether files are being dragged over the page
 */
export function useFiles(
  active: boolean,
  onFiles: (files: readonly File[]) => void,
  onText?: (text: string) => void,
): boolean {
  const [dragging, setDragging] = useState(false)
  const newest = useRef(onFiles)
  newest.current = onFiles
  const newestText = useRef(onText)
  newestText.current = onText
  useEffect(() => {
    if (!active) return
    const stop = new AbortController()
    const { signal } = stop
    const take = (event: Event, data: DataTransfer | null) => {
      const files = [...(data?.files ?? [])]
      if (files.length === 0) return
      event.preventDefault()
      newest.current(files)
    }
    window.addEventListener(
      'dragover',
      (event) => {
        if (!event.dataTransfer?.types.includes('Files')) return
        event.preventDefault()
        setDragging(true)
      },
      { signal },
    )
    window.addEventListener('dragleave', (event) => event.relatedTarget === null && setDragging(false), { signal })
    window.addEventListener(
      'drop',
      (event) => {
        setDragging(false)
        take(event, event.dataTransfer)
      },
      { signal },
    )
    window.addEventListener(
      'paste',
      (event) => {
        take(event, event.clipboardData)
        const pasted = event.clipboardData?.getData('text/plain') ?? ''
        if (event.defaultPrevented || isField(event.target) || pasted.trim() === '') return
        event.preventDefault()
        if (newestText.current) return newestText.current(pasted)
        newest.current([new File([pasted], 'pasted.csv', { type: 'text/csv' })])
      },
      { signal },
    )
    return () => {
      stop.abort()
      setDragging(false)
    }
  }, [active])
  return dragging
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement
}

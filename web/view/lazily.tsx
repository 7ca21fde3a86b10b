import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { text } from '../text.ts'

/** A component whose code is fetched when it is first shown. */
export function lazily<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  return function Lazy(props: Props) {
    const [loaded, setLoaded] = useState<{ view: ComponentType<Props> } | 'failed' | null>(null)
    useEffect(() => {
      load().then(
        (view) => setLoaded({ view }),
        () => setLoaded('failed'),
      )
    }, [])
    if (loaded === null) return null
    if (loaded === 'failed') {
      return (
        <p class="toast failure" role="alert">
          {text.failure.part}
        </p>
      )
    }
    return <loaded.view {...props} />
  }
}

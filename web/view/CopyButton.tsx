import { useEffect, useState } from 'preact/hooks'
import { text } from '../text.ts'
import { IconButton } from './Icon.tsx'

const SHOWN_MS = 1500

export function CopyButton({ read }: { read: () => string }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = () => navigator.clipboard.writeText(read()).then(() => setCopied(true))
  return (
    <IconButton
      icon={copied ? 'check' : 'copy'}
      label={copied ? text.actions.copied : text.actions.copy}
      onClick={() => void copy()}
    />
  )
}

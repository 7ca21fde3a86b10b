import { text } from '../../text-studio.ts'
import { Icon } from '../Icon.tsx'

/** A link that keeps what is shown as a file. */
export function SaveLink({ url, name, label = text.save }: { url: string; name: string; label?: string }) {
  return (
    <a class="outlined" href={url} download={name.replaceAll(/[^\w.-]+/g, '-')}>
      <Icon name="file" />
      {label}
    </a>
  )
}

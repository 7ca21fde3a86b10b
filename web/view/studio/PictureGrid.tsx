import { dataUrl } from '../../state/studio/pictures.ts'
import { text } from '../../text-studio.ts'
import { Icon, IconButton } from '../Icon.tsx'

const words = text.generate

/** Pictures that were made: each can be kept, and walked on from. */
export function PictureGrid({
  pictures,
  title,
  stale,
  onExplore,
}: {
  /** PNGs in base64. */
  pictures: readonly string[]
  title: string
  /** Whether newer ones are on their way. */
  stale: boolean
  onExplore: ((picture: string) => void) | null
}) {
  return (
    <ul class={`picture-grid ${stale ? 'stale' : ''}`} aria-label={words.results}>
      {pictures.map((picture, i) => (
        <li key={picture}>
          <img class="pixels" src={dataUrl(picture)} alt={words.picture(title, i + 1)} />
          <span class="picture-actions">
            <a
              class="icon-button"
              href={dataUrl(picture)}
              download={words.fileName(title, i + 1)}
              aria-label={words.save}
              title={words.save}
            >
              <Icon name="file" />
            </a>
            {onExplore && <IconButton icon="sliders" label={words.explore} onClick={() => onExplore(picture)} />}
          </span>
        </li>
      ))}
    </ul>
  )
}

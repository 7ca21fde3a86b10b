import { sectionPath } from '../../state/address.ts'
import type { Page } from '../../state/page.ts'
import { type Part, partPath } from '../../state/studio/studio.ts'
import { text } from '../../text-train.ts'
import { type Job, kindOf, type Trainable } from '../../transport/training.ts'
import { followed } from '../links.ts'

const words = text.job
const PARTS: Readonly<Record<Trainable, readonly Part[]>> = {
  vae: ['explore', 'map', 'generate'],
  gan: ['generate'],
  autoencoder: ['anomalies', 'explore'],
  denoiser: ['denoise'],
  translation: [],
}

/** Where the finished model works. */
export function FinishedModel({ page, job }: { page: Page; job: Job }) {
  const id = job.fine_tuned_model ?? ''
  const kind = kindOf(job)
  const links = [
    ...(kind === null ? [] : PARTS[kind]).map((part) => ({ label: words.open[part], path: partPath(part, id) })),
    { label: words.open.card, path: sectionPath('models') },
  ]
  return (
    <section class="finished" aria-label={words.finished}>
      <p>
        <span class="note small">{words.finished}</span>
        <br />
        <strong>{id}</strong>
      </p>
      <div class="button-line">
        {links.map(({ label, path }) => (
          <a key={label} class="outlined" href={path} onClick={(event) => followed(event, () => page.address.go(path))}>
            {label}
          </a>
        ))}
      </div>
    </section>
  )
}

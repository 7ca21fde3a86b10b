import { useCallback, useEffect, useMemo, useState } from 'preact/hooks'
import '../../style/studio.css'
import type { Page } from '../../state/page.ts'
import { Task } from '../../state/task.ts'
import { text } from '../../text-studio.ts'
import { type KnownModels, readModels, removeModel } from '../../transport/trained-models.ts'
import { FailureNote } from '../FailureNote.tsx'
import { ChatModelCard, TrainedModelCard, TranslatorCard } from './ModelCard.tsx'

const words = text.models

/** What each model is, was trained on, and can do. */
export function ModelsPage({ page }: { page: Page }) {
  const [models, setModels] = useState<KnownModels | null>(null)
  const task = useMemo(() => new Task(), [])
  const failure = task.failure.value
  const isThere = page.server.signedIn.value === true && page.server.reachable.value
  const load = useCallback(async () => setModels(await readModels(page.http)), [page])
  useEffect(() => {
    if (isThere) void task.run(load)
  }, [task, load, isThere])
  const remove = (id: string) =>
    task.run(async () => {
      await removeModel(page.http, id)
      await load()
    })
  return (
    <>
      <header class="section-head">
        <h1>{words.title}</h1>
      </header>
      <div class="scroll">
        <div class="studio-column">
          {failure && <FailureNote error={failure} />}
          {!models && !failure && <p class="note">{text.loading}</p>}
          {models && models.trained.length + models.translators.length > 0 && (
            <section aria-label={words.trained}>
              <h2>{words.trained}</h2>
              <ul class="cards">
                {models.trained.map((model) => (
                  <TrainedModelCard key={model.id} page={page} model={model} onRemove={() => void remove(model.id)} />
                ))}
                {models.translators.map((model) => (
                  <TranslatorCard key={model.id} page={page} model={model} onRemove={() => void remove(model.id)} />
                ))}
              </ul>
            </section>
          )}
          {models && models.chat.length > 0 && (
            <section aria-label={words.chat}>
              <h2>{words.chat}</h2>
              <ul class="cards">
                {models.chat.map((model) => (
                  <ChatModelCard key={model.id} model={model} />
                ))}
              </ul>
            </section>
          )}
        </div>
      </div>
    </>
  )
}

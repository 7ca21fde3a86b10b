import type { ComponentChildren } from 'preact'
import { sectionPath } from '../../state/address.ts'
import type { Page } from '../../state/page.ts'
import { partPath, partsOf } from '../../state/studio/studio.ts'
import { text } from '../../text-studio.ts'
import { type ChatModel, isOwn, type TrainedModel, type Translator } from '../../transport/trained-models.ts'
import { followed } from '../links.ts'
import { SecondPress } from '../SecondPress.tsx'

const words = text.models

export function TrainedModelCard({ page, model, onRemove }: { page: Page; model: TrainedModel; onRemove: () => void }) {
  const { id, task, input, latents, card, created, device } = model
  return (
    <li class="card" id={id}>
      <header>
        <h3>{id}</h3>
        <span class="note small">{text.task[task]}</span>
      </header>
      <p>{card.description}</p>
      <div class="button-line">
        {partsOf(model).map((part) => {
          const path = partPath(part, id)
          return (
            <a
              key={part}
              class="outlined"
              href={path}
              onClick={(event) => followed(event, () => page.address.go(path))}
            >
              {words.open[part]}
            </a>
          )
        })}
        {isOwn(model) && <SecondPress label={words.remove} really={words.reallyRemove} of={id} onPress={onRemove} />}
      </div>
      <dl class="facts-list">
        <Fact name={words.takes}>
          {input.kind === 'images'
            ? words.picturesOf(input.width, input.height, input.channels)
            : words.rowsOf(input.columns.length)}
        </Fact>
        {latents !== undefined && <Fact name={words.latents}>{latents}</Fact>}
        <Origin card={card} device={device} created={created} />
      </dl>
      <Numbers card={card} />
    </li>
  )
}

export function TranslatorCard({ page, model, onRemove }: { page: Page; model: Translator; onRemove: () => void }) {
  const { id, card, created, device, source_language, target_language } = model
  const query = new URLSearchParams({ from: source_language, to: target_language, model: id })
  const path = `${sectionPath('translate')}?${query}`
  return (
    <li class="card" id={id}>
      <header>
        <h3>{id}</h3>
        <span class="note small">{words.translates(source_language, target_language)}</span>
      </header>
      <p>{card.description}</p>
      <div class="button-line">
        <a class="outlined" href={path} onClick={(event) => followed(event, () => page.address.go(path))}>
          {words.translate}
        </a>
        {isOwn(model) && <SecondPress label={words.remove} really={words.reallyRemove} of={id} onPress={onRemove} />}
      </div>
      <dl class="facts-list">
        <Origin card={card} device={device} created={created} />
      </dl>
      <Numbers card={card} />
    </li>
  )
}

type Card = TrainedModel['card']

function Origin({ card, device, created }: { card: Card; device: string; created: number }) {
  return (
    <>
      <Fact name={words.data}>{card.data}</Fact>
      <Fact name={words.licence}>{card.licence}</Fact>
      <Fact name={words.runs}>{words.on[device] ?? device}</Fact>
      <Fact name={words.made}>{words.date(created)}</Fact>
    </>
  )
}

function Numbers({ card }: { card: Card }) {
  return (
    <>
      <details>
        <summary>{words.metrics}</summary>
        <Facts entries={Object.entries(card.metrics).map(([name, value]) => [name, text.number(value)])} />
      </details>
      <details>
        <summary>{words.recipe}</summary>
        <Facts entries={Object.entries(card.recipe).map(([name, value]) => [name, String(value)])} />
      </details>
    </>
  )
}

export function ChatModelCard({ model }: { model: ChatModel }) {
  return (
    <li class="card" id={model.id}>
      <header>
        <h3>{model.id}</h3>
      </header>
      <dl class="facts-list">
        <Fact name={words.context}>{words.tokens(model.context_length)}</Fact>
        <Fact name={words.runs}>{words.on[model.device] ?? model.device}</Fact>
      </dl>
    </li>
  )
}

function Facts({ entries }: { entries: readonly (readonly [string, string])[] }) {
  return (
    <dl class="facts-list numbers">
      {entries.map(([name, value]) => (
        <Fact key={name} name={name}>
          {value}
        </Fact>
      ))}
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

import { Component } from 'preact'
import { useMemo, useRef } from 'preact/hooks'
import type { Block, BlockCache } from '../markdown/blocks.ts'
import { type Renderer, renderer } from '../markdown/lazy.ts'
import { CopyButton } from './CopyButton.tsx'

interface MarkdownProps {
  text: string
  finished: boolean
}

/** An answer; as plain text for the moment in which the renderer is not there yet. */
export function Markdown(props: MarkdownProps) {
  const loaded = renderer.value
  return loaded ? <Rendered {...props} renderer={loaded} /> : <div class="markdown unrendered">{props.text}</div>
}

/** While an answer grows, only its open tail is rendered again. */
function Rendered({
  text: source,
  finished,
  renderer: { BlockCache, sanitise },
}: MarkdownProps & { renderer: Renderer }) {
  const cache = useRef<BlockCache>(null)
  cache.current ??= new BlockCache()
  const { current } = cache
  const blocks = useMemo(() => (finished ? current.finish(source) : current.update(source)), [source, finished])
  return (
    <div class="markdown">
      {blocks.map((block, i) => (
        <BlockView key={i} block={block} sanitise={sanitise} />
      ))}
    </div>
  )
}

interface BlockProps {
  block: Block
  sanitise: Renderer['sanitise']
}

/** Blocks keep their identity while they are as they were, so that comparing them is enough. */
class BlockView extends Component<BlockProps> {
  override shouldComponentUpdate(next: BlockProps): boolean {
    return next.block !== this.props.block
  }

  override render({ block, sanitise }: BlockProps) {
    if (block.kind === 'code') return <CodeBlock language={block.language} code={block.code} />
    return <div class="block" dangerouslySetInnerHTML={{ __html: sanitise(block.html) }} />
  }
}

function CodeBlock({ language, code }: { language: string; code: string }) {
  return (
    <div class="code">
      <div class="code-head">
        <span>{language}</span>
        <CopyButton read={() => code} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls has to be reached by the keyboard */}
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
    </div>
  )
}

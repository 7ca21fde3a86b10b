/** Several runners' metrics in Prometheus' text format as one, with a label that says whose a sample is. */

interface Family {
  readonly comments: string[]
  readonly samples: string[]
}

/** One runner's text stays as it is. */
export function mergeMetrics(texts: readonly { readonly runner: string; readonly text: string }[]): string {
  const [only] = texts
  if (texts.length <= 1) return only?.text ?? ''
  const families = new Map<string, Family>()
  for (const { runner, text } of texts) {
    let family: Family = { comments: [], samples: [] }
    for (const line of text.split('\n')) {
      const named = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1]
      if (named !== undefined) {
        family = families.get(named) ?? { comments: [], samples: [] }
        families.set(named, family)
        if (!family.comments.includes(line)) family.comments.push(line)
      } else if (line.trim() !== '') family.samples.push(labelled(line, runner))
    }
  }
  return `${[...families.values()].flatMap(({ comments, samples }) => [...comments, ...samples]).join('\n')}\n`
}

function labelled(sample: string, runner: string): string {
  const label = `runner=${JSON.stringify(runner)}`
  const [, name = '', labels, rest = ''] = /^([^\s{]+)(?:\{(.*)\})?(\s.*)$/.exec(sample) ?? []
  return `${name}{${labels ? `${labels},` : ''}${label}}${rest}`
}

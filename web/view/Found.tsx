/** Text with the words that were searched for marked. */
export function Found({ source, words }: { source: string; words: readonly string[] }) {
  if (words.length === 0) return <>{source}</>
  const pattern = words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|')
  const parts = source.split(new RegExp(`(${pattern})`, 'iu'))
  return <>{parts.map((part, i) => (i % 2 === 1 ? <mark key={i}>{part}</mark> : part))}</>
}

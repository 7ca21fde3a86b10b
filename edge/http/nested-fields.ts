/** Fields of a form whose names are paths, `dictionaries[0].entries`, as the object that JSON would have; one list deep. */

const PATH = /^(\w+)\[(\d{1,3})\]\.(\w+)$/

export function nested(fields: unknown): unknown {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return fields
  const plain: Record<string, unknown> = {}
  const lists = new Map<string, Map<number, Record<string, unknown>>>()
  for (const [name, value] of Object.entries(fields)) {
    const [, list, index, field] = PATH.exec(name) ?? []
    if (list === undefined || field === undefined) {
      plain[name] = value
      continue
    }
    const items = lists.get(list) ?? new Map<number, Record<string, unknown>>()
    lists.set(list, items)
    items.set(Number(index), { ...items.get(Number(index)), [field]: value })
  }
  for (const [list, items] of lists) plain[list] = [...items].sort(([a], [b]) => a - b).map(([, item]) => item)
  return plain
}

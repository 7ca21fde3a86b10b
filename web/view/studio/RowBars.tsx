import { text } from '../../text-studio.ts'
import { Bar } from './Bar.tsx'

/** A row of a table: each column's value, and where it lies between the lowest and the highest that are known. */
export function RowBars({
  label,
  columns,
  row,
  ranges,
}: {
  label: string
  columns: readonly { readonly name: string }[]
  row: readonly number[]
  ranges: readonly (readonly [number, number])[]
}) {
  return (
    <table class="row-bars" aria-label={label}>
      <tbody>
        {columns.map(({ name }, i) => {
          const value = row[i]
          return (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="bar-cell">
                <Bar share={value === undefined ? 0 : placeIn(value, ranges[i])} />
              </td>
              <td class="number">{value === undefined ? '' : text.number(value)}</td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}

/** From 0 to 1, if it is between the two. */
function placeIn(value: number, [low, high]: readonly [number, number] = [0, 1]): number {
  return high > low ? (value - low) / (high - low) : 0.5
}

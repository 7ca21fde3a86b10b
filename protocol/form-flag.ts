/** True or false, in JSON or as a form has it. */
import * as v from 'valibot'

export const formFlagSchema = v.optional(
  v.union([
    v.boolean(),
    v.pipe(
      v.picklist(['0', '1', 'true', 'false']),
      v.transform((text) => text === '1' || text === 'true'),
    ),
  ]),
)

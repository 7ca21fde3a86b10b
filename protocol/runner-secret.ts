/** What the edge and its runners show each other: whoever knows it may ask a runner anything. */
import * as v from 'valibot'

const FEWEST_CHARACTERS = 32
/** Random characters have more, even hexadecimal digits; one that is repeated has fewer. */
const FEWEST_DIFFERENT = 8
const RULE = `must have at least ${FEWEST_CHARACTERS} random characters (\`openssl rand -base64 33\` makes some)`

/** `RUNNER_SECRET`; absent is refused, too. Messages name the rule, never the value. */
export const runnerSecretSchema = v.optional(
  v.pipe(
    v.string(),
    v.check((secret) => secret.length >= FEWEST_CHARACTERS && new Set(secret).size >= FEWEST_DIFFERENT, RULE),
    v.regex(/^[\x21-\x7e]*$/, 'must have visible ASCII characters only'),
  ),
  '',
)

/** Formats of JSON Schema as regular expressions, each a little narrower than its RFC where that is simpler. */

const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const LABEL = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const DATE =
  '[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))'
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])'
const GROUP = '[0-9a-f]{1,4}'

export const FORMATS: ReadonlyMap<string, string> = new Map([
  ['date', DATE],
  ['time', TIME],
  ['date-time', `${DATE}T${TIME}`],
  [
    'duration',
    'P([0-9]{1,4}W|([0-9]{1,4}D|[0-9]{1,4}M([0-9]{1,4}D)?|[0-9]{1,4}Y([0-9]{1,4}M([0-9]{1,4}D)?)?)(T[0-9]{1,4}[HMS])?|T[0-9]{1,4}[HMS])',
  ],
  ['email', `[A-Za-z0-9_+-]{1,32}(\\.[A-Za-z0-9_+-]{1,32}){0,3}@${LABEL}(\\.${LABEL}){1,3}`],
  ['hostname', `${LABEL}(\\.${LABEL}){0,3}`],
  ['ipv4', `${OCTET}(\\.${OCTET}){3}`],
  ['ipv6', `${GROUP}(:${GROUP}){7}|(${GROUP}(:${GROUP}){0,3})?::(${GROUP}(:${GROUP}){0,2})?`],
  ['uuid', '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'],
  [
    'uri',
    "https?://[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63}){0,4}(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&'()*+,;=:@-]{0,200}){0,8}(\\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]{0,200})?",
  ],
])

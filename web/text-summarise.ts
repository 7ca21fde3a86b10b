/** The words of the page's part Summarise, which are loaded with it. */

const count = (value: number): string => value.toLocaleString()
const size = (bytes: number): string =>
  bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / (1 << 20)).toFixed(1)} MB`

export const text = {
  field: 'Text to summarise',
  placeholder: 'Paste a text here, or drop a file anywhere',
  clear: 'Clear the text',
  length: (length: number) => count(length),
  characters: ' characters',
  tooLong: (bytes: number, most: number) =>
    `The text has ${size(bytes)}, of which ${size(most)} can be summarised at once. Shorten it first.`,
  file: {
    pick: 'Open a file',
    accept: '.txt,.md,.html,.htm,.docx,.pdf',
    reading: (name: string) => `The text of “${name}” appears here when it is summarised.`,
    wrongKind: (name: string) => `“${name}” cannot be read here. Choose a file of the kind txt, md, html, docx or pdf.`,
    tooLarge: (name: string, bytes: number, most: number) =>
      `“${name}” has ${size(bytes)}. The limit is ${size(most)}.`,
    empty: (name: string) => `“${name}” has no text.`,
  },
  options: 'How it is summarised',
  style: 'Style',
  styles: { extractive: 'Taken from the text', abstractive: 'Written by a model' },
  styleHints: {
    extractive: 'The sentences that say most, as they are.',
    abstractive: 'A language model writes it in the text’s words. What the text does not support is left out.',
  },
  amount: 'Length',
  unit: 'Unit of the length',
  units: { sentences: 'Sentences', words: 'Words' },
  amounts: {
    sentences: (value: number) => (value === 1 ? '1 sentence' : `${value} sentences`),
    words: (value: number) => `at most ${value} words`,
  },
  language: 'Language',
  detect: 'Detect language',
  detected: (language: string) => `${language} (detected)`,
  languages: [
    'en',
    'fr',
    'de',
    'es',
    'it',
    'pt',
    'nl',
    'pl',
    'cs',
    'sv',
    'da',
    'fi',
    'el',
    'ru',
    'uk',
    'tr',
    'ar',
    'he',
    'fa',
    'hi',
    'zh',
    'ja',
    'ko',
  ],
  run: 'Summarise',
  again: 'Summarise again',
  result: 'Summary',
  empty: 'The summary appears here. Each of its sentences leads to where the text says so.',
  tryExample: 'Try an example',
  reading: 'Reading the text …',
  progress: (done: number, total: number) => `${count(done)} of ${count(total)} pieces read`,
  stop: 'Stop',
  stopped: 'Stopped.',
  hint: 'Click a sentence to see where it comes from.',
  source: (places: number) =>
    places === 1
      ? 'From one place in the text, which is marked.'
      : `From ${places} places in the text, which are marked.`,
  outdated: 'The text has changed since.',
  degraded: {
    extractive:
      'No model can be reached just now, so the sentences were compared by their words alone. It may be better later.',
    abstractive: 'Nothing that the model wrote is supported by the text, so these are sentences of the text itself.',
  },
  unsupported: (sentences: number) =>
    sentences === 1
      ? 'One sentence that the model wrote was left out: the text does not support it.'
      : `${count(sentences)} sentences that the model wrote were left out: the text does not support them.`,
  away: 'No language model can be reached just now. The text is kept, and summarised when one is back.',
  example: `The harbour of Vell was closed for two days after the heaviest storm in thirty years. Waves of nine metres broke over the pier on Tuesday night and sank two fishing boats. Nobody was hurt, because the coast guard had warned the crews in time.

The mayor said that repairs of the pier would begin on Monday and take about six weeks. Until then ferries will leave from the old dock in the north of the town. The company that runs them expects delays of up to half an hour.

Fishermen lost most of their nets and ask the region for help. A fund of two million is meant to pay for new equipment before the season begins in March. Whether it will be enough is not clear yet.

Children had no school on Wednesday. Many of them came to the beach to look at what the sea had brought: wood, ropes, and a door with a number on it.`,
} as const

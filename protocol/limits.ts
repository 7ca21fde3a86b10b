/** What one request may ask for. Each limit is named in the error that going over it gives. */
export const LIMITS = {
  /** Bytes of a JSON body. */
  bodyBytes: 1 << 20,
  /** Nesting of a JSON body. */
  jsonDepth: 64,
  /** Messages in one chat request. */
  messages: 2048,
  /** UTF-16 code units of all the text in one request. */
  textLength: 1 << 20,
  /** Stop strings, and the length of each in UTF-16 code units. */
  stopStrings: 4,
  stopLength: 256,
  /** Functions that one request may offer, as OpenAI has it. */
  tools: 128,
  /** Length of a regular expression in UTF-16 code units. */
  regexLength: 4096,
  /** Answers to one request. */
  answers: 16,
  /** Entries of `logit_bias`, as OpenAI has it. */
  logitBias: 300,
  /** The most tokens that one request may ask for; the model's context is the tighter bound. */
  maxTokens: 1 << 20,
  /** Items in one conversation request. */
  conversationItems: 20,
  /** A search for conversations: its length in UTF-16 code units, and its words. */
  searchLength: 200,
  searchWords: 16,
  /** Links to one conversation that hold at a time. */
  shares: 20,
  /** Entries of `metadata`, and the length of a key and of a value, as OpenAI has them. */
  metadataEntries: 16,
  metadataKeyLength: 64,
  metadataValueLength: 512,
  /** Bytes of a JSON body that holds images, rows or latents. */
  tensorBodyBytes: 4 << 20,
  /** Images or latents in one request, and rows. */
  images: 64,
  /** Variations of one image, as OpenAI has it. */
  variations: 10,
  rows: 1024,
  /** Items of one map, and bytes of a table whose rows are mapped. */
  mapItems: 512,
  mapTableBytes: 16 << 20,
  /** A prompt for a picture, in UTF-16 code units. */
  imagePromptLength: 4000,
  /** Pixels of a generated picture's side. */
  imageSide: 512,
  /** Samples of all the images of one request: pixels times channels. */
  samples: 1 << 22,
  /** Texts to embed in one request, and their tokens together, as OpenAI has them; bytes of its JSON body. */
  embeddingInputs: 2048,
  embeddingTokens: 300_000,
  embeddingBodyBytes: 4 << 20,
  /** The most numbers that a vector may be asked to have; the model's own are the tighter bound. */
  embeddingDimensions: 1 << 16,
  /** Texts to translate in one request and bytes of it, as DeepL has them; texts of one of LibreTranslate. */
  deeplTexts: 50,
  deeplBodyBytes: 128 << 10,
  libreTexts: 128,
  /** Other translations of a text. */
  translationAlternatives: 3,
  /** Glossaries of one owner, dictionaries of one, and entries of a dictionary. */
  ownerGlossaries: 1000,
  glossaryDictionaries: 100,
  dictionaryEntries: 10_000,
  /** Glossaries that one translation goes by, as DeepL has it. */
  glossariesAtOnce: 5,
  /** Bytes of a document to translate, and UTF-16 code units of its words. */
  documentBytes: 4 << 20,
  documentLength: 1 << 20,
  /** Names of tags in one list. */
  tagNames: 256,
  /** Sentences to translate in one request of a runner, and the length of each in UTF-16 code units. */
  translatedTexts: 512,
  translatedTextLength: 2000,
  /** UTF-16 code units of a glossary's term. */
  glossaryTermLength: 1024,
  /** Sentences or words of a summary, and sentences of the text that it is of. */
  summarySentences: 100,
  summaryWords: 5000,
  summaryInputSentences: 4096,
  /** Bytes of a file to summarise. */
  summaryFileBytes: 16 << 20,
  /** The size of a number that a model is given. */
  magnitude: 1e6,
  /** Bytes of one uploaded file, as OpenAI has it, and of one part of an upload. */
  fileBytes: 512 << 20,
  partBytes: 64 << 20,
  /** Parts of an upload. */
  uploadParts: 1_000,
  /** Files that one owner keeps, and their bytes; uploads that are not complete count as what they will be. */
  ownerFiles: 10_000,
  ownerFileBytes: 4 * 2 ** 30,
  /** Training jobs of one owner that have not ended. */
  ownerJobs: 8,
} as const

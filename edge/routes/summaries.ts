/** `POST /v1/summaries`: of the text's own sentences, or of a language model's that the text supports. */
import { ApiError } from '#protocol/error.ts'
import { LIMITS } from '#protocol/limits.ts'
import {
  type SummaryAnswer,
  type SummaryRequest,
  summaryAnswerSchema,
  summaryRequestSchema,
} from '#protocol/summaries.ts'
import type { EdgeContext } from '../context.ts'
import { readBody } from '../http/body.ts'
import { eventStream } from '../http/event-stream.ts'
import { logFailure } from '../http/log.ts'
import { ClientGone } from '../runners/runner.ts'
import { textOfFile } from '../summaries/file-text.ts'
import { type Begun, pick } from '../summaries/pick.ts'
import { type Sentence, sentencesOf } from '../summaries/sentences.ts'
import { write } from '../summaries/write.ts'
import { GENERATION_ERRORS, type Operation } from './operation.ts'

export const summaryOperation: Operation = {
  method: 'POST',
  path: '/v1/summaries',
  scope: 'summaries',
  tag: 'Summaries',
  summary: 'Shorten a text',
  description:
    'A text, or a file of it (txt, md, html, docx, pdf), to its own sentences, or to a language model’s that the text supports, each with its places in the text. Without a runner the first, marked `degraded`. With stream it comes as server-sent events: `summary.progress`, a `summary.sentence` each, the summary, [DONE].',
  body: summaryRequestSchema,
  answer: { description: 'The summary', schema: summaryAnswerSchema },
  errors: [...GENERATION_ERRORS, 'model_loading', 'not_found', 'unprocessable'],
  example: { input: 'A long text. It has many sentences. Some matter more than others.', length: { sentences: 1 } },
  handle: summarise,
}

async function summarise(c: EdgeContext): Promise<Response> {
  const request = await readBody(c.req.raw, summaryRequestSchema)
  const text = await textOf(c, request)
  const sentences = readSentences(text, request)
  const begun = await (request.style === 'abstractive' ? write : pick)(c, request, sentences)
  if (request.file_id !== undefined) begun.events = withText(begun.events, text)
  const response = request.stream ? await streamed(c, begun) : Response.json(await whole(begun))
  for (const [name, value] of Object.entries(begun.headers)) response.headers.set(name, value)
  response.headers.set('cache-control', 'no-store')
  response.headers.set('x-served-by', begun.servedBy)
  response.headers.set('openai-processing-ms', String(Date.now() - c.get('startedAt')))
  return response
}

async function whole({ events }: Begun): Promise<SummaryAnswer> {
  for (;;) {
    const { done, value } = await events.next()
    if (done) return value
  }
}

function streamed(c: EdgeContext, { events, stop }: Begun): Promise<Response> {
  async function* all() {
    yield yield* events
  }
  return eventStream(all(), {
    onCancel: stop,
    onError(error) {
      if (error instanceof ApiError || error instanceof ClientGone) return
      logFailure({ requestId: c.get('requestId'), method: c.req.method, route: c.req.routePath }, error)
    },
  })
}

/** @throws ApiError for both, or neither, as `textOfFile` */
function textOf(c: EdgeContext, { input, file_id }: SummaryRequest): string | Promise<string> {
  if (input !== undefined && file_id === undefined) return input
  if (input === undefined && file_id !== undefined) return textOfFile(c, file_id)
  if (input !== undefined) {
    throw new ApiError('invalid_value', "'file_id' does not go with 'input'.", { param: 'file_id' })
  }
  const message = "Missing required parameter: 'input', or 'file_id'."
  throw new ApiError('missing_required_parameter', message, { param: 'input' })
}

async function* withText(events: Begun['events'], input: string): Begun['events'] {
  return { ...(yield* events), input }
}

function readSentences(input: string, { language, file_id }: SummaryRequest): Sentence[] {
  let sentences: Sentence[]
  try {
    sentences = sentencesOf(input, language)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new ApiError('invalid_value', `Invalid 'language': '${language}' is none.`, { param: 'language', cause })
  }
  const { length } = sentences
  if (length > 0 && length <= LIMITS.summaryInputSentences) return sentences
  const param = file_id === undefined ? 'input' : 'file_id'
  const message = `Invalid '${param}': expected 1 to ${LIMITS.summaryInputSentences} sentences, got ${length}.`
  throw new ApiError('invalid_value', message, { param })
}

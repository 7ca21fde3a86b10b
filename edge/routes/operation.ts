/** An operation of the API as data: the router serves it, the OpenAPI document describes it. */
import type { ErrorCode } from '#protocol/error.ts'
import type { Scope } from '#protocol/scopes.ts'
import type { EdgeContext } from '../context.ts'
import type { Schema } from '../http/validate.ts'

export interface Operation {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** As OpenAPI writes it: `/v1/models/{id}`. */
  path: string
  /** What a key has to be good for; null for a public route, which `middleware/public-routes.ts` lists too. */
  scope: Scope | null
  tag: string
  summary: string
  description?: string
  query?: Schema
  body?: Schema
  /** Default: JSON. */
  bodyType?: 'application/json' | 'multipart/form-data'
  answer: { description: string; schema?: Schema; contentType?: string }
  /** Beside those that any operation may answer with. */
  errors?: readonly ErrorCode[]
  /** A body for the examples. */
  example?: unknown
  handle: (c: EdgeContext) => Promise<Response> | Response
}

/** What any operation that asks for a generation may answer with. */
export const GENERATION_ERRORS = [
  'context_length_exceeded',
  'model_not_found',
  'queue_full',
  'rate_limit_exceeded',
  'insufficient_quota',
  'runner_failed',
  'runner_unavailable',
  'runner_timeout',
] as const satisfies readonly ErrorCode[]

/** What any operation that runs a published model at the edge may answer with. */
export const INFERENCE_ERRORS = [
  'model_not_found',
  'request_too_large',
  'unprocessable',
  'rate_limit_exceeded',
  'insufficient_quota',
  'model_unavailable',
] as const satisfies readonly ErrorCode[]

/** The OpenAPI 3.1 document, made of the operations and of the schemas that validate them. */
import { toJsonSchema } from '@valibot/to-json-schema'
import { errorBodySchema } from '#protocol/error.ts'
import type { Schema } from '../http/validate.ts'
import type { Operation } from '../routes/operation.ts'

export type JsonObject = Record<string, unknown>

const VERSION = '0.1.0'
const ERROR = {
  description: 'An error',
  content: { 'application/json': { schema: jsonSchema(errorBodySchema, 'output') } },
}

export function openApiDocument(operations: readonly Operation[]): JsonObject {
  const paths: Record<string, JsonObject> = {}
  for (const operation of operations) {
    const path = paths[operation.path] ?? {}
    path[operation.method.toLowerCase()] = describe(operation)
    paths[operation.path] = path
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tandem', version: VERSION, description: 'A generation API with two places to run.' },
    servers: [{ url: '/' }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key: tdm_…' } } },
    paths,
  }
}

function describe({
  scope,
  tag,
  summary,
  description,
  path,
  query,
  body,
  bodyType = 'application/json',
  answer,
  errors = [],
  example,
}: Operation): JsonObject {
  const content = answer.schema
    ? { [answer.contentType ?? 'application/json']: { schema: jsonSchema(answer.schema, 'output') } }
    : answer.contentType
      ? { [answer.contentType]: {} }
      : undefined
  return {
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    security: scope === null ? [] : [{ key: [scope] }],
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body ? { requestBody: requestBody(body, bodyType, example) } : {}),
    responses: {
      200: { description: answer.description, ...(content ? { content } : {}) },
      default: {
        ...ERROR,
        description: errors.length > 0 ? `An error; among others ${errors.join(', ')}` : 'An error',
      },
    },
  }
}

function pathParameters(path: string): JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(query: Schema | undefined): JsonObject[] {
  if (!query) return []
  const { properties = {} } = jsonSchema(query, 'input') as { properties?: Record<string, JsonObject> }
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }))
}

function requestBody(body: Schema, type: string, example: unknown): JsonObject {
  const media = { schema: jsonSchema(body, 'input'), ...(example === undefined ? {} : { example }) }
  return { required: true, content: { [type]: media } }
}

/** Checks that JSON Schema cannot say are left out of it; the server makes them all the same. */
function jsonSchema(schema: Schema, typeMode: 'input' | 'output'): JsonObject {
  const { $schema: _, ...rest } = toJsonSchema(schema as Parameters<typeof toJsonSchema>[0], {
    typeMode,
    errorMode: 'ignore',
  })
  return rest
}

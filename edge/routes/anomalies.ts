/** `POST /v1/anomalies`, at the edge. */
import { anomalyAnswerSchema, anomalyRequestSchema } from '#protocol/anomalies.ts'
import { LIMITS } from '#protocol/limits.ts'
import { readBody } from '../http/body.ts'
import { score } from '../inference/anomalies.ts'
import { encodable } from '../inference/inputs.ts'
import { serve } from '../inference/serve.ts'
import { INFERENCE_ERRORS, type Operation } from './operation.ts'

export const anomalyOperation: Operation = {
  method: 'POST',
  path: '/v1/anomalies',
  scope: 'anomalies',
  tag: 'Anomalies',
  summary: 'Score rows or images',
  description: 'How unlike the model’s training data each is, and which columns or parts of the image make it so.',
  body: anomalyRequestSchema,
  answer: { description: 'The scores, in order', schema: anomalyAnswerSchema },
  errors: INFERENCE_ERRORS,
  example: { model: 'sensors', rows: [[20.1, 0.4, 3]] },
  async handle(c) {
    const request = await readBody(c.req.raw, anomalyRequestSchema, { most: LIMITS.tensorBodyBytes })
    return serve(c, request.model, async (model) => ({
      model: model.id,
      ...(await score(c, model, await encodable(model, request))),
    }))
  },
}

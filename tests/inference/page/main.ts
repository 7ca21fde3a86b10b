/** Hands the page's own way of running models to a test. */
import { openModel } from '../../../web/inference/open-model.ts'

Object.assign(globalThis, { openModel })

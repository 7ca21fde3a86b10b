import { defaultModel } from '#models/catalogue/catalogue.ts'

/** The model that a fresh Tandem serves. */
export const MODEL = defaultModel('chat').id

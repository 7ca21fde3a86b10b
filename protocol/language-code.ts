/** The code of a language, as DeepL's and LibreTranslate's APIs have it: with a script or a country, or without. */
import * as v from 'valibot'

export const languageCodeSchema = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?$/, "must be the code of a language, such as 'en' or 'pt-BR'"),
)

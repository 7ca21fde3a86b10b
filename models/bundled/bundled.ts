/**
 * The models that ship with Tandem: their manifests are part of the Worker, their files are among its static assets, at
 * `/models/<sha256>.onnx`. `npm run train -- <id>` makes one again.
 */
import emojiDenoiser from './emoji-denoiser/manifest.json' with { type: 'json' }
import emojiGan from './emoji-gan/manifest.json' with { type: 'json' }
import emojiVae from './emoji-vae/manifest.json' with { type: 'json' }
import fashionVae from './fashion-vae/manifest.json' with { type: 'json' }
import sensorAnomalies from './sensor-anomalies/manifest.json' with { type: 'json' }
import enFr from './translation/en-fr/manifest.json' with { type: 'json' }
import frEn from './translation/fr-en/manifest.json' with { type: 'json' }

/** As they stand in their files; who uses one parses it. */
export const BUNDLED_MANIFESTS: Readonly<Record<string, unknown>> = {
  [emojiDenoiser.id]: emojiDenoiser,
  [emojiGan.id]: emojiGan,
  [emojiVae.id]: emojiVae,
  [fashionVae.id]: fashionVae,
  [sensorAnomalies.id]: sensorAnomalies,
}

/** Of those that translate, which runners alone run: the Worker knows what can be tuned. */
export const BUNDLED_TRANSLATIONS: Readonly<Record<string, unknown>> = { [enFr.id]: enFr, [frEn.id]: frEn }

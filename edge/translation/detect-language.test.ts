import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectAmong, detectLanguages } from './detect-language.ts'

test('a language is told by a few words', () => {
  for (const [text, language] of [
    ['This package contains the documentation', 'en'],
    ['Ce paquet contient la documentation', 'fr'],
    ['Dieses Paket enthält die Dokumentation', 'de'],
    ['Этот пакет содержит документацию', 'ru'],
    ['مرحبا بالعالم', 'ar'],
    ['こんにちは', 'ja'],
  ] as const) {
    const [first] = detectLanguages(text)
    assert.equal(first?.language, language)
    assert.ok(first.confidence > 0.5 && first.confidence <= 1)
  }
})

test('what can be translated is likelier, unless much speaks against it', () => {
  for (const [text, language] of [
    ['Annuler', 'fr'],
    ['Cancel', 'en'],
    ['Save as…', 'en'],
    ['proton beam', 'en'],
    ['Hello', 'en'],
    ['OK', 'en'],
    ['Hello {x}', 'en'],
    ['Hello x', 'en'],
    ['<b>Ouvrir</b> le {fichier} https://example.org/the/open/file', 'fr'],
  ] as const) {
    assert.equal(detectAmong(text, ['en', 'fr']).language, language, text)
  }
  assert.equal(detectAmong('Этот пакет содержит документацию', ['en', 'fr']).language, 'ru')
  assert.deepEqual(detectAmong('12345 🙂', ['fr', 'en']), { language: 'fr', confidence: 0 })
})

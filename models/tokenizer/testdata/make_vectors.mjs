/**
 * Makes vectors.json: texts with the tokens that llama.cpp makes of them with SmolLM2's vocabulary. Needs node-llama-cpp
 * 3.22 and chats.json, which make_chats.py makes.
 *
 *   node make_vectors.mjs SmolLM2-135M-Instruct.Q4_1.gguf vectors.json
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { getLlama } from 'node-llama-cpp'

const WORDS = [
  'The quick brown fox jumps over the lazy dog.',
  "It's a dog's life; we've said you'll see, I'm sure they'd agree. IT'S, WE'VE, O'Neill, rock 'n' roll",
  "don''t 's 't 're 've 'm 'll 'd 'S 'T",
  'naïve café résumé Zürich Łódź Ångström Ħħ ŉ ſ ǅ',
  'Привет, мир! Как дела?',
  'Γειά σου Κόσμε',
  'שלום עולם',
  'مرحبا بالعالم ١٢٣٤',
  'नमस्ते दुनिया क्षत्रिय',
  'สวัสดีชาวโลก',
  'こんにちは世界。カタカナ、ひらがな',
  '你好，世界！今天天气怎么样？',
  '안녕하세요 세계',
  'ಕನ್ನಡ தமிழ் తెలుగు',
  '😀 😃😄 👍🏽 👩‍👩‍👧‍👦 🇨🇭🇯🇵 ❤️ ♥',
  'e\u0301 vs é, a\u0308\u0323 combining, \u200dzwj\u200b zwsp',
  '\ufeffbyte order mark\ufeff inside',
  'a\u0085b\u00a0c\u1680d\u2003e\u2028f\u2029g\u202fh\u3000i\u180ej',
  '½ ² ³ ¼ Ⅷ ① ㊿ ௧ ๓ 〇 百',
  '𝒜𝓁𝓅𝒽𝒶 𝟘𝟙𝟚 𐍈 𒀀 🀄',
  '0 1 12 123 1234 12345 3.14159 1,000,000 1e-9 0xFF 2026-11-23 10:30:59',
  'a1b2c3 x86_64 utf8 h264 3d 4K v2.0.1-beta',
  '!!! ??? ... --- *** ### $$$ %%% &&& ((())) [[]] {{}} <<>> || \\\\ // ~~ `` ^^',
  '<|im_start|>user\nhi<|im_end|>',
  '<|endoftext|><repo_name><file_sep>',
  '< |im_start|> <|im_start <|im_start|',
  '[INST] <<SYS>> </s> <s> <unk> <pad>',
  '{"a": [1, 2.5, null, true], "b": {"c": "d\\n"}}',
  '<html><body class="x">&amp;&nbsp;</body></html>',
  'for (let i = 0; i < n; i++) { a[i] += b[i] * 2 }',
  'def f(x):\n    if x:\n\t\treturn [y for y in range(10)]\n    return None\n',
  "SELECT * FROM t WHERE a >= 1 AND b <> 'x' -- comment",
  'https://example.org/a/b?c=d&e=f#g mailto:a@b.example C:\\Windows\\x.txt /usr/bin/env',
  '| a | b |\n|---|---|\n| 1 | 2 |\n\n- item\n  - sub\n1. one\n',
  'line\nline\n\nline\n\n\nline\r\nline\r\n\r\nline\rline',
  ' ',
  '  ',
  '   ',
  '    ',
  '\t',
  '\t\t',
  '\n',
  '\n\n',
  '\n\n\n',
  '\r\n',
  '\r\n\r\n',
  ' \n',
  '\n ',
  ' \n ',
  '\t\n\t',
  '',
  ' a',
  '  a',
  '   a',
  'a ',
  'a  ',
  'a   b',
  'a    b\n',
  '\ta',
  'a\t\tb',
  ' \t \t x',
  '  1',
  '1  ',
  ' 1 2  3   4',
  '  !',
  '! !  !',
  '\u0000\u0001\u0007\u001b[31m\u007f',
  'supercalifragilisticexpialidocious antidisestablishmentarianism',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  '================================================================================',
  'ACGTACGTTAGCTAGCTAGGATCGATCGATCGGGCTAAATCGCGCTATAGCTAGCATCGACTACG',
  'camelCaseIdentifier snake_case_identifier SCREAMING_SNAKE kebab-case-name',
  'Ĭñţérñåţîöñåļîžåţîöñ \u0130\u0131 ß ẞ ﬁ ﬃ',
  '€£¥₿ ™®© §¶ ±×÷ ≤≥≠ ∑∏∫ →←↑↓ ★☆ ♠♣',
]
const ALPHABETS = [
  'abcdefghijklmnopqrstuvwxyz',
  'ABC xyz',
  ' \t\n\r',
  '0123456789 ',
  "'srtvemld ",
  '.,;:!?-_()[]{}<>|',
  'éüñçßøåÀ',
  '漢字かなカナ한글',
  '😀🎉👍🏽❤️\u200d',
  '½²³Ⅷ①',
  '\u0301\u0308\u00a0\u2003\u3000',
  '<|im_start|><|im_end|>',
]

/** A 32-bit linear congruential generator: the same texts every time. */
let state = 12345
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}
function randomText() {
  let text = ''
  for (let n = 1 + random(30); n > 0; n--) {
    const alphabet = [...ALPHABETS[random(ALPHABETS.length)]]
    for (let m = 1 + random(4); m > 0; m--) text += alphabet[random(alphabet.length)]
  }
  return text
}

const [modelPath, output] = process.argv.slice(2)
const llama = await getLlama({ gpu: false, build: 'never' })
const model = await llama.loadModel({ modelPath, vocabOnly: true })
const texts = [...WORDS, ...Array.from({ length: 200 - WORDS.length }, randomText)]
const chats = JSON.parse(readFileSync(new URL('./chats.json', import.meta.url), 'utf8'))
const plain = texts.map((text) => ({ text, tokens: model.tokenize(text, false) }))
const special = [...texts.filter((text) => text.includes('<')), ...chats.map(({ prompt }) => prompt)].map((text) => ({
  text,
  tokens: model.tokenize(text, true),
}))
await model.dispose()

/** The same vocabulary under other pre-tokenizers: of the plain texts, those whose tokens are others then. */
const others = {}
for (const pre of ['default', 'gpt-2', 'llama-bpe', 'qwen2']) {
  const metadataOverrides = { tokenizer: { ggml: { pre } } }
  const other = await llama.loadModel({ modelPath, vocabOnly: true, metadataOverrides })
  others[pre] = plain
    .map(({ text }) => ({ text, tokens: other.tokenize(text, false) }))
    .filter(({ tokens }, i) => String(tokens) !== String(plain[i].tokens))
  await other.dispose()
}
const list = (vectors) => `[\n${vectors.map((vector) => `  ${JSON.stringify(vector)}`).join(',\n')}\n ]`
const named = Object.entries({ plain, special, ...others }).map(([name, vectors]) => ` "${name}": ${list(vectors)}`)
writeFileSync(output, `{\n${named.join(',\n')}\n}\n`)
await llama.dispose()

/** `$TANDEM_HOME/key`: the key of whoever runs this instance. The database knows its hash. */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { uuidv7 } from 'uuidv7'
import type { Database } from '#edge/storage/database.ts'
import { findKey, hasKeyForm, LOCAL_OWNER } from '#edge/storage/keys.ts'
import { randomSecret, sha256 } from '#edge/storage/secrets.ts'
import { errorCode, StartError } from './start-error.ts'

/**
 * Makes the key if there is none; makes the database know it if it does not, as after its loss.
 * @throws StartError if the file holds no key, or one that is revoked or expired
 */
export async function ensureLocalKey(database: Database, file: string): Promise<void> {
  const key = (await readKey(file)) ?? (await writeKey(file))
  const hash = await sha256(key)
  if (await findKey(database, hash, Date.now())) return
  try {
    await database
      .prepare('INSERT INTO keys (id, hash, name, owner, scopes, created_at) VALUES (?, ?, ?, ?, ?, ?)')
      .bind(`key_${uuidv7().replaceAll('-', '')}`, hash, 'local', LOCAL_OWNER, '*', Date.now())
      .run()
  } catch (cause) {
    throw new StartError(`The key in ${file} cannot be used (is it revoked?). Remove the file to get a new one.`, {
      cause,
    })
  }
}

async function readKey(file: string): Promise<string | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  const key = text.trim()
  if (!hasKeyForm(key)) throw new StartError(`${file} holds no API key. Remove it to get a new one.`)
  return key
}

/** The file appears whole: a half-written key would be refused at the next start. */
async function writeKey(file: string): Promise<string> {
  const key = `tdm_${randomSecret()}`
  const fresh = `${file}.new`
  await rm(fresh, { force: true })
  const handle = await open(fresh, 'wx', 0o600)
  try {
    await handle.writeFile(`${key}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(fresh, file)
  return key
}

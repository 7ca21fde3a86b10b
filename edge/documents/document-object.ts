/** A document on its way, as its callers have it. What it is given and gives is JSON, or plain. */
import type { Account } from '../accounts/holder.ts'

/** Made when a document is sent, not changed after that. */
export interface DocumentRecord {
  readonly id: string
  /** SHA-256 of the key that only who sent it has. */
  readonly keyHash: string
  readonly account: Account
  readonly filename: string
  /** ISO 639-1; null: it is found out. */
  readonly source: string | null
  readonly target: string
  /** Of the owner's; its dictionary for the languages counts. */
  readonly glossary: string | null
  /** The one that is to translate it; documents that are older have no such field. */
  readonly model?: string | null
  readonly characters: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

export interface DocumentObject {
  /** @param record `DocumentRecord` as JSON; its file is in the object store */
  begin(record: string): Promise<void>
  /** `DocumentStatus` as JSON; null, here and below, if there is none of this owner with this key. */
  status(owner: string, keyHash: string): Promise<string | null>
  /** As `status`, when it has ended. */
  ended(owner: string, keyHash: string): Promise<string | null>
  /** Its name once it is done; false if it is not. @param owner null: whoever has the key */
  done(owner: string | null, keyHash: string): Promise<string | false | null>
  /** With its files; what works at it stops. */
  forget(): Promise<void>
}

export interface DocumentObjects {
  getByName(name: string): DocumentObject
}

/** In the object store: as it was sent, and its translation. */
export const documentKeys = (id: string) => ({ source: `documents/${id}`, result: `documents/${id}.result` })

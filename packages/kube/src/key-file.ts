import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Seals secrets for the database with the key of a file that the database's backup does not hold. */
export interface KeyFile {
  /** AES-256-GCM. `owner` names the row: a sealed text opens only under the owner it was sealed for. */
  seal(text: string, owner: string): string
  /** Throws when the text was changed, belongs to another owner, or was sealed with another key. */
  open(sealed: string, owner: string): string
  /** 32 bytes that follow from the key and tell nothing about it; others for every purpose (HKDF, RFC 5869). */
  derive(purpose: string): Uint8Array
}

const VERSION = 'v1'
const KEY_BYTES = 32
const IV_BYTES = 12 // NIST SP 800-38D §5.2.1.1
const TAG_BYTES = 16

/**
 * The key in the file at `path`, made at the first start with mode 0600. Throws, and makes nothing, when the file is
 * missing while `sealedRows` is above 0: what those rows hold could never be read again.
 */
export async function openKeyFile(path: string, { sealedRows }: { sealedRows: number }): Promise<KeyFile> {
  const found = await read(path)
  if (found) return keyFile(found, path)
  if (sealedRows > 0) {
    throw new Error(
      `The key file ${path} is missing, but ${sealedRows} stored secrets were sealed with it. Put it back from a backup, or remove the clusters and register them again.`,
    )
  }
  await write(path, randomBytes(KEY_BYTES))
  const made = await read(path)
  if (!made) throw new Error(`The key file ${path} could not be made.`)
  return keyFile(made, path)
}

/** The key in the file at `path`, for what is no more than convenient without it. Undefined when there is none yet. */
export async function findKeyFile(path: string): Promise<KeyFile | undefined> {
  const found = await read(path)
  return found && keyFile(found, path)
}

async function read(path: string): Promise<Buffer | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== KEY_BYTES) throw new Error(`The key file ${path} does not hold a key. Put it back from a backup.`)
  const { mode } = await stat(path)
  if (mode & 0o077) throw new Error(`Others on this machine may read the key file ${path}. Run: chmod 600 ${path}`)
  return key
}

/** Complete or not at all; when two start at once, the first one's key stays. */
async function write(path: string, key: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(`${key.toString('base64')}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
}

function keyFile(key: Buffer, path: string): KeyFile {
  return {
    seal(text, owner) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(owner))
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return `${VERSION}:${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64')}`
    },
    open(sealed, owner) {
      const [version, content] = sealed.split(':')
      if (version !== VERSION || content === undefined) throw new Error(`Sealed for ${owner} in an unknown way.`)
      const bytes = Buffer.from(content, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(owner)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      try {
        return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        throw new Error(`What is stored for ${owner} was not sealed with the key in ${path}, or was changed.`)
      }
    },
    derive: (purpose) => new Uint8Array(hkdfSync('sha256', key, '', purpose, KEY_BYTES)),
  }
}

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'

/** Another one whenever these files look different, or what is worked out of an object for its row does. */
export const FORMAT = 3
const MAGIC = 0x53_4d_44_51 // QDMS
const START_BYTES = 8
const SALT_BYTES = 32
const TAG_BYTES = 16
/** Worked on in one go: half a millisecond. */
const SLICE_BYTES = 512 * 1024

/** A file that is not, or no more, what was written, or was sealed with another key. */
export class DamagedFile extends Error {}

/** What a sealed file is: its length, and the tag (hexadecimal) that no other content has. */
export interface SealedFile {
  bytes: number
  tag: string
}

interface WriteOptions {
  /** 32 bytes. */
  key: Uint8Array
  /** wx: the file must not be there. */
  flag: 'w' | 'wx'
  /** Called after each half megabyte. */
  pause(): Promise<void>
}

/**
 * Writes the parts one after the other: mark and format (four bytes each), salt, the content by AES-256-GCM, the tag.
 * Waits until it is on the disk; leaves nothing when it fails. No more than a slice is held besides the parts.
 */
export async function writeSealed(
  path: string,
  parts: Iterable<Uint8Array>,
  { key, flag, pause }: WriteOptions,
): Promise<SealedFile> {
  const file = await open(path, flag, 0o600)
  try {
    const start = new Uint8Array(new Uint32Array([MAGIC, FORMAT]).buffer)
    const salt = randomBytes(SALT_BYTES)
    const cipher = createCipheriv('aes-256-gcm', ...secretOf(key, salt)).setAAD(start)
    let bytes = 0
    const put = async (slice: Uint8Array) => {
      for (let from = 0; from < slice.length; ) from += (await file.write(slice, from)).bytesWritten
      bytes += slice.length
    }
    await put(Buffer.concat([start, salt]))
    for (const slice of slices(parts)) {
      await put(cipher.update(slice))
      await pause()
    }
    cipher.final()
    const tag = cipher.getAuthTag()
    await put(tag)
    await file.sync()
    return { bytes, tag: tag.toString('hex') }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

/** The parts in pieces of SLICE_BYTES (the last is shorter). A piece holds only until the next is taken. */
function* slices(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  const slice = new Uint8Array(SLICE_BYTES)
  let filled = 0
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      const length = Math.min(part.length - from, SLICE_BYTES - filled)
      slice.set(part.subarray(from, from + length), filled)
      filled += length
      from += length
      if (filled < SLICE_BYTES) continue
      yield slice
      filled = 0
    }
  }
  if (filled > 0) yield slice.subarray(0, filled)
}

/** Each file has a key and a nonce of its own, so neither is ever used twice. */
function secretOf(key: Uint8Array, salt: Uint8Array): [key: Uint8Array, nonce: Uint8Array] {
  const secret = new Uint8Array(hkdfSync('sha256', key, salt, 'file of a snapshot', 32 + 12))
  return [secret.subarray(0, 32), secret.subarray(32)]
}

/**
 * The content from the beginning of a buffer of its own, and the tag. Nothing is answered before the tag has been seen to
 * fit. Throws DamagedFile when it does not, and what opening the file throws.
 */
export function readSealed(path: string, key: Uint8Array): { buffer: ArrayBuffer; tag: string } {
  const file = openSync(path, 'r')
  try {
    return opened(file, fstatSync(file).size, key)
  } finally {
    closeSync(file)
  }
}

function opened(file: number, bytes: number, key: Uint8Array) {
  const length = bytes - START_BYTES - SALT_BYTES - TAG_BYTES
  if (length < 0) throw new DamagedFile('is not whole')
  const start = taken(file, new Uint8Array(START_BYTES))
  const [magic, format] = new Uint32Array(start.buffer)
  if (magic !== MAGIC || format !== FORMAT) throw new DamagedFile('is of another version')
  const secret = secretOf(key, taken(file, new Uint8Array(SALT_BYTES)))
  const decipher = createDecipheriv('aes-256-gcm', ...secret, { authTagLength: TAG_BYTES }).setAAD(start)
  const content = new Uint8Array(length)
  const slice = new Uint8Array(Math.min(length, SLICE_BYTES))
  for (let from = 0; from < length; ) {
    const sealed = taken(file, slice.subarray(0, Math.min(slice.length, length - from)))
    content.set(decipher.update(sealed), from)
    from += sealed.length
  }
  const tag = taken(file, new Uint8Array(TAG_BYTES))
  try {
    decipher.setAuthTag(tag).final()
  } catch {
    throw new DamagedFile('was sealed with another key, or is damaged')
  }
  return { buffer: content.buffer, tag: Buffer.from(tag).toString('hex') }
}

/** Filled from the file. */
function taken<Bytes extends Uint8Array>(file: number, bytes: Bytes): Bytes {
  for (let from = 0; from < bytes.length; ) {
    const read = readSync(file, bytes, from, bytes.length - from, null)
    if (read === 0) throw new DamagedFile('is not whole')
    from += read
  }
  return bytes
}

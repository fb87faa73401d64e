import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'

/** A new secret of 256 random bits, URL-safe, with `prefix` so that scanners can find it where it leaked. */
export const newSecret = (prefix = ''): string => prefix + randomBytes(32).toString('base64url')

/** What is stored of a secret: SHA-256, hexadecimal. Enough for 256 random bits, too little for a password. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Compares two texts in a time that does not tell where they differ. */
export const sameText = (a: string, b: string): boolean =>
  timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())

// OWASP Password Storage Cheat Sheet (2025): argon2id with 19 MiB, 2 passes, 1 lane. The default algorithm is argon2id.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

// NIST SP 800-63B §3.1.1.2: normalise Unicode before hashing, so that a password typed elsewhere is the same.
const normal = (password: string) => password.normalize('NFKC')

/** argon2id in PHC form. */
export const hashPassword = (password: string): Promise<string> => hash(normal(password), COST)

let nobody: Promise<string> | undefined

/** True when the password is the one hashed. Without a hash it takes as long and is false: nobody learns who exists. */
export async function verifyPassword(stored: string | undefined, password: string): Promise<boolean> {
  nobody ??= hashPassword(newSecret())
  const matches = await verify(stored ?? (await nobody), normal(password))
  return stored !== undefined && matches
}

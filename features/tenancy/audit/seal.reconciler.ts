import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import type { AuditSeal } from './audit.contract.ts'

/** Signs seals and knows its own. */
export interface Sealer {
  /** Of the key that signs, PEM: for whoever checks an export elsewhere. */
  readonly publicKey: string
  seal(statement: Omit<AuditSeal, 'signature'>): AuditSeal
  isOurs(seal: AuditSeal): boolean
}

// PKCS #8 of an Ed25519 key up to its 32 bytes (RFC 8410 §7).
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** What a seal's signature is over. */
export const sealText = ({ sequence, hash, time }: Omit<AuditSeal, 'signature'>): string =>
  `quarterdeck audit seal 1\n${sequence}\n${hash}\n${time}\n`

/** `seed`: 32 bytes that are nobody else's and stay the same. */
export function openSealer(seed: Uint8Array): Sealer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const publicKey: KeyObject = createPublicKey(key)
  return {
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    seal: (statement) => ({
      ...statement,
      signature: sign(null, Buffer.from(sealText(statement)), key).toString('base64'),
    }),
    isOurs: (seal) => verify(null, Buffer.from(sealText(seal)), publicKey, Buffer.from(seal.signature, 'base64')),
  }
}

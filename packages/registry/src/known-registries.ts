import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { type Credentials, parseRegistryAddress, type RegistryAddress } from './address.ts'

// The format of Docker's and Podman's config.json; what else is in there is theirs.
const AuthFile = z.object({
  auths: z.record(
    z.string(),
    z.object({ auth: z.string().optional(), username: z.string().optional(), password: z.string().optional() }),
  ),
})

/**
 * The registries that the operator names. QUARTERDECK_REGISTRIES: `host[:port]`, separated by commas, `http://` in front
 * for plain HTTP. QUARTERDECK_REGISTRY_AUTH: a file in the format of Docker's config.json with their credentials.
 * Throws with the entry or the file named when one cannot be read.
 */
export async function namedRegistries(environment: Record<string, string | undefined>): Promise<RegistryAddress[]> {
  const entries = (environment.QUARTERDECK_REGISTRIES ?? '').split(',').filter((entry) => entry.trim() !== '')
  const file = environment.QUARTERDECK_REGISTRY_AUTH
  const credentials = file ? await readCredentials(file) : new Map<string, Credentials>()
  const addresses = new Map<string, RegistryAddress>()
  for (const entry of entries) {
    const address = parseRegistryAddress(entry)
    if (!address) {
      throw new Error(
        `QUARTERDECK_REGISTRIES: ${entry.trim()} is no registry. Write host or host:port, separated by commas.`,
      )
    }
    const known = credentials.get(address.host)
    addresses.set(address.host, { ...address, ...(known ? { credentials: known } : {}) })
  }
  return [...addresses.values()]
}

async function readCredentials(file: string): Promise<Map<string, Credentials>> {
  const wrong = (why: string) =>
    new Error(
      `QUARTERDECK_REGISTRY_AUTH: ${file} ${why}. It is a file like Docker's config.json: {"auths":{"HOST":{"auth":"…"}}}`,
    )
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw wrong(`cannot be read (${(error as NodeJS.ErrnoException).code})`)
  })
  let parsed: z.infer<typeof AuthFile>
  try {
    parsed = AuthFile.parse(JSON.parse(text))
  } catch {
    throw wrong('is not in that format') // without the parser's words, which would quote the secret
  }
  const credentials = new Map<string, Credentials>()
  for (const [key, { auth, username, password }] of Object.entries(parsed.auths)) {
    // Docker writes its own registry as https://index.docker.io/v1/.
    const host = key.includes('index.docker.io') ? 'docker.io' : parseRegistryAddress(key)?.host
    const [user, ...rest] = auth ? Buffer.from(auth, 'base64').toString('utf8').split(':') : [username]
    const secret = auth ? rest.join(':') : password
    if (host && user && secret) credentials.set(host, { username: user, password: secret })
  }
  return credentials
}

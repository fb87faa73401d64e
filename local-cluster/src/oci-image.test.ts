import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import tar from 'tar-stream'
import { expect, test } from 'vitest'
import { layerOf } from './oci-image.ts'

const digest = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`

test('a layer holds its entries, its digests are right, and the same entries give the same layer', async () => {
  const entries = [
    { path: 'bin', type: 'directory' as const },
    { path: 'bin/run', content: 'hello', mode: 0o755 },
    { path: 'bin/start', type: 'symlink' as const, linkTarget: 'run' },
  ]
  const layer = await layerOf(entries)
  const archive = gunzipSync(layer.compressed)
  expect(layer.digest).toBe(digest(layer.compressed))
  expect(layer.diffId).toBe(digest(archive))
  expect((await layerOf(entries)).digest).toBe(layer.digest)
  const extract = tar.extract()
  extract.end(archive)
  const found: unknown[] = []
  for await (const entry of extract) {
    found.push([entry.header.name, entry.header.type, entry.header.mode])
    entry.resume()
  }
  expect(found).toEqual([
    ['bin', 'directory', 0o755],
    ['bin/run', 'file', 0o755],
    ['bin/start', 'symlink', 0o644],
  ])
})

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'

const HERE = import.meta.dirname
const ROOT = join(HERE, '../..')
/** Everything that ends up in the console; a change in any of it makes it be built anew. */
const SOURCES = [
  'apps/console/{src,public}/**/*.*',
  'apps/console/{index.html,vite.config.ts,package.json}',
  'packages/{ui,client,kernel}/src/**/*.*',
  'features/*/*/*.{contract.ts,rules.ts,console.tsx}',
  'package-lock.json',
]
const brotli = promisify(brotliCompress)

async function sourceHash(): Promise<string> {
  const files: string[] = []
  for (const pattern of SOURCES) {
    for await (const file of glob(pattern, { cwd: ROOT })) if (/\.\w+$/.test(file)) files.push(file)
  }
  const hash = createHash('sha256')
  for (const file of files.sort()) {
    hash.update(file)
    hash.update(await readFile(join(ROOT, file)))
  }
  return hash.digest('hex')
}

/** Each file that shrinks gets a `.br` beside it, so that the server never compresses while somebody waits. */
async function compress(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  await Promise.all(
    files
      .filter((file) => file.isFile() && /\.(js|css|html|svg|md)$/.test(file.name))
      .map(async (file) => {
        const path = join(file.parentPath, file.name)
        const small = await brotli(await readFile(path), { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } })
        await writeFile(`${path}.br`, small)
      }),
  )
}

/**
 * The folder of the built console; builds it first when its sources have changed since. Safe to call from several
 * processes at once: each builds in a folder of its own, and the last one to finish is kept.
 */
export async function ensureConsole(say: (line: string) => void = console.log): Promise<string> {
  const dist = join(HERE, 'dist')
  const hash = await sourceHash()
  const mark = join(dist, 'source.sha256')
  if (existsSync(mark) && (await readFile(mark, 'utf8')) === hash) return dist
  const start = performance.now()
  say('Building the console (Vite); later starts use what is built')
  const { build } = await import('vite')
  const fresh = join(ROOT, '.tmp', `console-${process.pid}`)
  try {
    await mkdir(fresh, { recursive: true })
    await build({
      configFile: join(HERE, 'vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: fresh, emptyOutDir: true },
    })
    await compress(fresh)
    await writeFile(join(fresh, 'source.sha256'), hash)
    await rm(dist, { recursive: true, force: true })
    await rename(fresh, dist)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  say(`The console is built (${((performance.now() - start) / 1_000).toFixed(1)} s)`)
  return dist
}

if (import.meta.main) await ensureConsole()
